/* Asks whom the system asks (/etc/resolv.conf). Reads lines of `NAME TYPE`, and prints what there is for each. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(void) {
    char name[256], type[8], text[INET6_ADDRSTRLEN];
    while (scanf("%255s %7s", name, type) == 2) {
        struct addrinfo *first = NULL, hints = {.ai_socktype = SOCK_STREAM};
        hints.ai_family = strcmp(type, "A") == 0 ? AF_INET : AF_INET6;
        int error = getaddrinfo(name, NULL, &hints, &first);
        if (error == EAI_NONAME || error == EAI_NODATA) {
            puts("nothing");
        } else if (error != 0) {
            puts(gai_strerror(error));
        } else {
            for (struct addrinfo *one = first; one != NULL; one = one->ai_next) {
                const void *address = one->ai_family == AF_INET ? (const void *)&((struct sockaddr_in *)one->ai_addr)->sin_addr
                                                                : (const void *)&((struct sockaddr_in6 *)one->ai_addr)->sin6_addr;
                printf("%s%c", inet_ntop(one->ai_family, address, text, sizeof text), one->ai_next == NULL ? '\n' : '\t');
            }
            freeaddrinfo(first);
        }
        fflush(stdout);
    }
}

// Asks the agent on this host. Reads lines of `NAME TYPE`, and prints what there is for each.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// PreferGo: the resolver of the C library can't be told whom to ask.
var resolver = &net.Resolver{
	PreferGo: true,
	Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:8753")
	},
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		name, kind, _ := strings.Cut(lines.Text(), " ")
		records, err := lookup(name+".", kind)
		var failure *net.DNSError
		if errors.As(err, &failure) && failure.IsNotFound {
			fmt.Println("nothing")
		} else if err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(strings.Join(records, "\t"))
		}
	}
}

func lookup(name, kind string) (records []string, err error) {
	if kind == "SRV" {
		// With service and protocol given, LookupSRV makes a name like _web._tcp.service.tidings.internal of them.
		_, targets, err := resolver.LookupSRV(context.Background(), "", "", name)
		for _, srv := range targets {
			records = append(records, fmt.Sprintf("%d %d %d %s", srv.Priority, srv.Weight, srv.Port, srv.Target))
		}
		return records, err
	}
	family := map[string]string{"A": "ip4", "AAAA": "ip6"}[kind]
	addresses, err := resolver.LookupIP(context.Background(), family, name)
	for _, address := range addresses {
		records = append(records, address.String())
	}
	return records, err
}

# An image with the agent and nothing else in it.
#
#   docker build -t tidings .
#   docker run -d --name tidings --network host -v tidings:/var/lib/tidings tidings agent --join 10.0.0.1
#
# packaging/docker/image makes the same image of a program that is built already, on a machine without a registry, too.
ARG BUILD_IMAGE=rust:1-bookworm
# A program that is not static needs more than `scratch`: an image with the C library that it was linked with.
ARG RUNTIME_IMAGE=scratch

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY . .
# Where in the context a program is that is built already. It is compiled where none is named.
ARG PROGRAM=
# A target that is named keeps the flag from what runs while it is compiled (procedural macros can't be static).
RUN if [ -n "$PROGRAM" ]; then exit 0; fi; \
    target=$(rustc -vV | sed -n 's/^host: //p') && \
    RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$target" --target-dir /target && \
    cp "/target/$target/release/tidings" /tidings
# Certificates of authorities are for checks by HTTPS.
RUN mkdir -p /image/usr/bin /image/etc/ssl/certs /data && \
    cp "${PROGRAM:-/tidings}" /image/usr/bin/tidings && chmod 755 /image/usr/bin/tidings && \
    if [ -r /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/; fi

FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="Tidings" \
      org.opencontainers.image.description="A gossip-based service registry and discovery agent" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /image/ /
# What is acknowledged is in here: give it a volume that outlives the container.
COPY --from=build --chown=65532:65532 /data/ /var/lib/tidings/
VOLUME /var/lib/tidings
ENV TIDINGS_DATA_DIR=/var/lib/tidings
USER 65532:65532
# Gossip; the API and DNS, both on loopback unless told otherwise.
EXPOSE 8746/udp 8746/tcp 8780/tcp 8753/udp 8753/tcp
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/bin/tidings", "ready"]
ENTRYPOINT ["/usr/bin/tidings"]
CMD ["agent"]

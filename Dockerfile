# truehook and conformance on the C library of Debian, without a shell. See docs/containers.md.
# Where programs are built, and whose packages the image has: of one release of Debian, as the programs need its C library.
ARG RUST=docker.io/library/rust:1.95-bookworm
ARG DEBIAN=docker.io/library/debian:bookworm-slim

FROM ${RUST} AS programs
# `trial` takes less time to build than `shipped`, and so does one program than both.
ARG PROFILE=shipped
ARG PROGRAMS="truehook conformance"
WORKDIR /source
COPY . .
RUN cargo build --profile "${PROFILE}" --locked $(printf -- '--package %s ' ${PROGRAMS}) \
    && mkdir /programs \
    && install --strip --target-directory=/programs $(printf "target/${PROFILE}/%s " ${PROGRAMS})

FROM ${DEBIAN} AS root
COPY deploy/image-root /image-root
RUN apt-get update && /image-root /root-of-image

FROM scratch
COPY --from=root /root-of-image /
COPY --from=programs /programs /usr/local/bin
ENV PATH=/usr/local/bin
# Inside of a container, loopback is reached by nobody.
ENV TRUEHOOK_LISTEN=0.0.0.0:8080
USER 65532:65532
WORKDIR /var/lib/truehook
VOLUME /var/lib/truehook
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["truehook", "health"]
ENTRYPOINT ["truehook"]
CMD ["serve"]

# An image that holds one file, /loopbridge: a static program that needs nothing else.
#
#   docker build --tag loopbridge .
#   docker run --network container:app loopbridge 8000                 # beside an app
#   COPY --from=loopbridge /loopbridge /loopbridge                     # or inside its image

FROM swift:6.3-bookworm AS builder

RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils libcrypt-dev libevent-dev libssl-dev libyaml-dev \
    && rm -rf /var/lib/apt/lists/*

# As `make dist` builds it, in a folder of its own.
ENV BUILD="swift build -c release --product loopbridge --scratch-path .build-static -Xswiftc -static-executable \
    -Xswiftc -use-ld=lld -Xlinker --icf=all -Xlinker --no-eh-frame-hdr -Xlinker -T -Xlinker /source/scripts/static.ld"
WORKDIR /source
COPY scripts/static.ld scripts/

# The dependencies in a layer of their own, which only Package.swift changes: every target of ours is an empty stub
# meanwhile. The stubs of the tests stay, because the package must be whole; they are not built.
COPY Package.swift ./
RUN names=$(sed -nE 's/.*name: "([A-Za-z0-9]+)".*/\1/p' Package.swift | sort -u) \
    && for name in $names; do \
        mkdir -p "Sources/$name" "Tests/$name" && touch "Tests/$name/stub.swift" \
        && case "$name" in \
            C[A-Z]*) mkdir "Sources/$name/include" && touch "Sources/$name/stub.c" "Sources/$name/module.modulemap" ;; \
            loopbridge) touch "Sources/$name/main.swift" ;; \
            *) touch "Sources/$name/stub.swift" ;; \
        esac; \
    done \
    && $BUILD \
    && rm -r Sources

COPY Sources Sources
RUN $BUILD && strip -o /loopbridge .build-static/release/loopbridge


FROM scratch

ARG VERSION="0.1.0"
ARG SOURCE=""
LABEL org.opencontainers.image.title="loopbridge" \
      org.opencontainers.image.description="Makes an app that listens only on loopback answer from outside" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.source="$SOURCE"

COPY --from=builder /loopbridge /loopbridge

# By number: there is no /etc/passwd here. No privilege is needed, not even for ports below 1024: Docker's networks let
# everybody have those.
USER 65532:65532
# In memory and private to the container, and there for every user and with a read-only root too (docker run --read-only).
# Where it is not, as with --ipc none, the log says so and traffic goes on; the health check then asks at the address of
# the admin port, if the configuration has one.
ENV LOOPBRIDGE_ADMIN_SOCKET=/dev/shm/loopbridge.sock
# Whether the program itself works. An app that is missing is not its fault, and no reason to start it again: for that there
# is `health --ready`.
HEALTHCHECK --interval=5s --timeout=5s --retries=3 CMD ["/loopbridge", "health"]
ENTRYPOINT ["/loopbridge"]

# One image for HubServer and HubClient: one static binary on nothing else, no shell, no root.
# Builds with BuildKit and with the classic builder alike.
FROM golang:1.26-alpine AS build

# Where modules come from and how they are built: as on the machine that builds, where that says so, and Go's own
# defaults otherwise. They are arguments of this stage alone, so the image's history does not show them.
ARG GOPROXY
ARG GOTOOLCHAIN
ARG GOFLAGS

WORKDIR /src
# The modules in a layer of their own: a change of the source does not load them again.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/realtime-hub ./cmd/realtime-hub

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Realtime Hub" \
      org.opencontainers.image.description="WebSocket hubs that act as one, and their web pages" \
      org.opencontainers.image.source="https://github.com/soumya-codes/realtime-hub" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
# For rediss:// with a certificate that a public authority signed.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY LICENSE /
COPY --from=build /out/realtime-hub /
USER 65532:65532
EXPOSE 8081 9081
# There is no curl in here: the binary asks itself. A HubClient names its own address, as in compose.yaml.
HEALTHCHECK --interval=3s --timeout=3s --start-period=10s --retries=3 CMD ["/realtime-hub", "health"]
ENTRYPOINT ["/realtime-hub"]

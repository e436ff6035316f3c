package office

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// checkListener checks host:port for listening: without a host it listens
// everywhere, with port 0 on any free port.
func checkListener(address string) error {
	_, _, err := splitAddress(address)
	return err
}

// checkReachable checks host:port for others to dial.
func checkReachable(address string) error {
	host, port, err := splitAddress(address)
	if err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		return fmt.Errorf("%q names no machine that others could dial: want its host, such as hq.example.org:6101", address)
	}
	if port == 0 {
		return fmt.Errorf("%q: port 0 cannot be dialled", address)
	}
	return nil
}

func splitAddress(address string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%.100q is not host:port, such as 127.0.0.1:6100 or [::1]:6100", address)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%.100q: %q is no port: want a number from 0 to 65535", address, text)
	}
	if _, err := netip.ParseAddr(host); err != nil && strings.ContainsFunc(host, notInHost) {
		return "", 0, fmt.Errorf("%.100q: %q is neither a DNS name nor an IP address", address, host)
	}
	return host, uint16(n), nil
}

// notInHost tells what no DNS name has; underscores are found in the wild.
func notInHost(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '.' && r != '_'
}

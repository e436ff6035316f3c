package pattern

import (
	"net/netip"
	"strings"
)

// checkAddress fails if ISSUBSET or ISSUPERSET has an operand that is no address or network, or
// one of the other family than the object's type says (§9.6.1).
func (p *parser) checkAddress(c *Comparison) {
	p.steps += len(c.Constant.Text)
	address, ok := readAddress(c.Constant.Text)
	switch {
	case p.err != nil:
	case !ok:
		p.fail(c.Constant.At, quoteShort(c.Constant.Text), "an IPv4 or IPv6 address, with or without the length of its network in CIDR notation (§9.6.1)")
	case c.Path.Type == "ipv4-addr" && !address.Is4():
		p.fail(c.Constant.At, quoteShort(c.Constant.Text), "an IPv4 address, as the object type says (§9.6.1)")
	case c.Path.Type == "ipv6-addr" && !address.Is6():
		p.fail(c.Constant.At, quoteShort(c.Constant.Text), "an IPv6 address, as the object type says (§9.6.1)")
	}
}

// readAddress reads an address or a network. The longest is an IPv6 address with an IPv4 tail
// and three digits of length; nothing longer is looked at.
func readAddress(text string) (netip.Addr, bool) {
	const longest = len("0000:0000:0000:0000:0000:0000:255.255.255.255/128")
	if len(text) > longest {
		return netip.Addr{}, false
	}
	if strings.IndexByte(text, '/') >= 0 {
		network, err := netip.ParsePrefix(text)
		return network.Addr(), err == nil
	}
	address, err := netip.ParseAddr(text)
	return address, err == nil && address.Zone() == ""
}

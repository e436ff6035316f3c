package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// object returns an indicator of about size bytes, marked TLP:GREEN.
func object(n, size int) (id, version string, b []byte) {
	id = "indicator--" + uuid.NewHash(sha256.New(), uuid.NameSpaceOID, fmt.Appendf(nil, "bench %d", n), 4).String()
	version = time.Unix(1_750_000_000+int64(n), 0).UTC().Format("2006-01-02T15:04:05.000Z")
	head := fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":"%s","created":"%s","modified":"%s",`+
		`"object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],"name":"Sample %d","indicator_types":["malicious-activity"],`+
		`"pattern":"[ipv4-addr:value = '198.51.%d.%d' OR domain-name:value = 'host%d.example.org']","pattern_type":"stix","valid_from":"%s","description":"`,
		id, version, version, n, n/256%256, n%256, n, version)
	fill := max(size-len(head)-2, 1)
	text := strings.Repeat(fmt.Sprintf("line %d of a sample description; ", n), fill/20+1)[:fill]
	return id, version, []byte(head + text + `"}`)
}

// envelope joins objects from, from+1, … as a TAXII envelope.
func envelope(from, count, size int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"objects":[`)
	for i := range count {
		if i > 0 {
			b.WriteByte(',')
		}
		_, _, o := object(from+i, size)
		b.Write(o)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

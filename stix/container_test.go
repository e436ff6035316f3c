package stix_test

import (
	"slices"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// contained returns an observation with a container of objects.
func contained(objects string) string {
	return `{"type":"observed-data","spec_version":"2.1","id":"observed-data--` + uuid + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",` +
		`"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"objects":{` + objects + `}}`
}

// withoutDeprecated drops the finding that every container has.
func withoutDeprecated(o *stix.Object) []stix.Finding {
	return slices.DeleteFunc(o.Findings(), func(f stix.Finding) bool { return f.Code == stix.FindDeprecated })
}

func TestObjectsInAContainerAreCheckedLikeOthers(t *testing.T) {
	const address = `"0":{"type":"ipv4-addr","value":"198.51.100.3"}`
	const ghost = "ipv4-addr--" + uuid
	for _, c := range []struct{ name, in, code, pointer string }{
		{"no value", `"0":{"type":"ipv4-addr"}`, stix.FindMissing, "/objects/0/value"},
		{"a number", `"0":{"type":"ipv4-addr","value":5}`, stix.FindKind, "/objects/0/value"},
		{"no address", `"0":{"type":"ipv4-addr","value":"999"}`, stix.FindForm, "/objects/0/value"},
		{"neither hash nor name", `"0":{"type":"file","size":1}`, stix.FindAtLeast, "/objects/0"},
		{"reference to nothing", address + `,"1":{"type":"network-traffic","protocols":["tcp"],"src_ref":"7"}`, stix.FindRef, "/objects/1/src_ref"},
		{"reference to outside", address + `,"1":{"type":"network-traffic","protocols":["tcp"],"src_ref":"` + ghost + `"}`, stix.FindRef, "/objects/1/src_ref"},
		{"reference to a mutex", `"0":{"type":"mutex","name":"m"},"1":{"type":"network-traffic","protocols":["tcp"],"src_ref":"0"}`, stix.FindRefType, "/objects/1/src_ref"},
		{"reference that is a number", address + `,"1":{"type":"network-traffic","protocols":["tcp"],"src_ref":0}`, stix.FindKind, "/objects/1/src_ref"},
		{"in a list", `"0":{"type":"file","name":"a"},"1":{"type":"directory","path":"/","contains_refs":["0","7"]}`, stix.FindRef, "/objects/1/contains_refs/1"},
		{"in an extension", `"0":{"type":"file","name":"a","extensions":{"archive-ext":{"contains_refs":["7"]}}}`, stix.FindRef, "/objects/0/extensions/archive-ext/contains_refs/0"},
		{"in a part of a message", address + `,"1":{"type":"email-message","is_multipart":true,"body_multipart":[{"body_raw_ref":"0"}]}`, stix.FindRefType, "/objects/1/body_multipart/0/body_raw_ref"},
		{"extension of another type", `"0":{"type":"mutex","name":"m","extensions":{"ntfs-ext":{"sid":"1"}}}`, stix.FindExtensionForm, "/objects/0/extensions/ntfs-ext"},
		{"marking that is no id", `"0":{"type":"mutex","name":"m","object_marking_refs":["0"]}`, stix.FindRef, "/objects/0/object_marking_refs/0"},
		{"type of no observable", `"0":{"type":"malware","name":"m"}`, stix.FindRefType, "/objects/0/type"},
		{"no object", `"0":7`, stix.FindKind, "/objects/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := withoutDeprecated(parse(t, contained(c.in)))
			if len(f) != 1 || f[0].Code != c.code || f[0].Pointer != c.pointer {
				t.Errorf("findings %+v, want one %s at %s", f, c.code, c.pointer)
			}
		})
	}
}

func TestWhatAContainerMayHold(t *testing.T) {
	const key = "ipv4-addr--" + uuid
	for name, in := range map[string]string{
		"keys of any form":           `"a b":{"type":"ipv4-addr","value":"198.51.100.3"},"1":{"type":"network-traffic","protocols":["tcp"],"src_ref":"a b"}`,
		"ids for keys":               `"` + key + `":{"type":"ipv4-addr","id":"` + key + `","value":"198.51.100.3"},"1":{"type":"network-traffic","protocols":["tcp"],"dst_ref":"` + key + `"}`,
		"references forward":         `"0":{"type":"directory","path":"/","contains_refs":["1"]},"1":{"type":"file","name":"a"}`,
		"a type that nobody knows":   `"0":{"type":"x-channel","name":"a","by_ref":"7"},"1":{"type":"file","name":"a","contains_refs":["0"]}`,
		"an extension":               `"0":{"type":"file","name":"a","extensions":{"archive-ext":{"contains_refs":["1"]}}},"1":{"type":"file","name":"b"}`,
		"a marking":                  `"0":{"type":"mutex","name":"m","object_marking_refs":["` + string(stix.Red.Marking()) + `"]}`,
		"properties of STIX 2.0":     `"0":{"type":"process","pid":1,"arguments":["-v"],"binary_ref":"1"},"1":{"type":"file","name":"a","created":"2016-12-21T19:00:00Z"}`,
		"headers as STIX 2.0 has it": `"0":{"type":"email-message","is_multipart":false,"additional_header_fields":{"X-Mailer":"Mutt"}}`,
	} {
		if f := withoutDeprecated(parse(t, contained(in))); len(f) > 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	outside := parse(t, `{"type":"email-message","id":"email-message--`+uuid+`","is_multipart":false,"additional_header_fields":{"X-Mailer":"Mutt"}}`)
	if !slices.ContainsFunc(outside.Findings(), func(f stix.Finding) bool { return f.Code == stix.FindDictValue }) {
		t.Error("outside a container, a header that is no list has no finding")
	}
}

package stix_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// observedFiles is observed-data of STIX 2.0 with so many files and markings.
func observedFiles(t *testing.T, files, markings int) *stix.Object {
	t.Helper()
	var held, refs []string
	for n := range files {
		held = append(held, fmt.Sprintf(`"%d":{"type":"file","name":"f%d"}`, n, n))
	}
	for n := range markings {
		refs = append(refs, fmt.Sprintf(`"marking-definition--00000000-0000-4000-8000-%012d"`, n))
	}
	return parse(t, `{"type":"observed-data","id":"observed-data--`+uuid+`","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z",`+
		`"first_observed":"2017-01-01T00:00:00Z","last_observed":"2017-01-01T00:00:00Z","number_observed":1,`+
		`"object_marking_refs":[`+strings.Join(refs, ",")+`],"objects":{`+strings.Join(held, ",")+`}}`)
}

func TestWhatIsLiftedIsNotMuchLargerThanWhatHeldIt(t *testing.T) {
	for _, c := range []struct {
		files, markings int
		stays           bool
	}{{1000, 1, false}, {3, 300, false}, {300, 300, true}} {
		o := observedFiles(t, c.files, c.markings)
		objects, notes, err := stix.Upgrade([]*stix.Object{o})
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, made := range objects {
			size += len(made.Bytes())
		}
		if most := 10*len(o.Bytes()) + 64<<10; size > most {
			t.Errorf("%d files with %d markings: %d bytes out of %d", c.files, c.markings, size, len(o.Bytes()))
		}
		_, held := objects[0].Property("objects")
		said := strings.Contains(fmt.Sprint(notes), "/objects: stays: as objects of their own")
		if held != c.stays || said != c.stays {
			t.Errorf("%d files with %d markings: stays %v, said %v: %v", c.files, c.markings, held, said, notes)
		}
	}
}

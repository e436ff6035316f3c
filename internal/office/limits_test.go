package office_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// client asks a running office over HTTP in NATO's name.
type client struct {
	t     *testing.T
	base  string
	token string
}

func (c client) do(method, path string, body []byte) (status int, answer []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, bytes.NewReader(body))
	must(c.t, err)
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept", taxii.MediaType)
	r.Header.Set("Content-Type", taxii.MediaType)
	resp, err := http.DefaultClient.Do(r)
	must(c.t, err)
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	must(c.t, err)
	return resp.StatusCode, answer
}

// sized returns an envelope of one note, padded with white space to n bytes.
func sized(t *testing.T, n int) []byte {
	b := note(n, 1, false, stix.Green)
	if len(b) > n {
		t.Fatalf("a note takes %d bytes, want %d", len(b), n)
	}
	return append(b, bytes.Repeat([]byte(" "), n-len(b))...)
}

// deep returns an envelope of one note that nests n levels.
func deep(n int) []byte {
	b := note(n, 1, false, stix.Green)
	x := strings.Repeat("[", n-1) + strings.Repeat("]", n-1)
	return bytes.Replace(b, []byte(`"content"`), []byte(`"x_deep":`+x+`,"content"`), 1)
}

// notes returns an envelope of n notes.
func notes(n int) []byte {
	var list []string
	for range n {
		id := uuid.NewString()
		list = append(list, fmt.Sprintf(`{"type":"note","spec_version":"2.1","id":"note--%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],"content":"text","object_refs":["note--%s"]}`, id, id))
	}
	return []byte(`{"objects":[` + strings.Join(list, ",") + `]}`)
}

// long returns an envelope of one note of about n bytes.
func long(n int) []byte {
	return bytes.Replace(note(n, 1, false, stix.Green), []byte("open text"), bytes.Repeat([]byte("a"), n), 1)
}

// TestTheLimitsOfTheConfigurationHoldOverHTTP: what is one over a limit is
// refused, what is at it is accepted, and no page is longer than page_objects.
func TestTheLimitsOfTheConfigurationHoldOverHTTP(t *testing.T) {
	b := newBase(t)
	configure(t, b.dir, "[limits]\nbody_bytes = 9000\nobject_bytes = 4096\ndepth = 9\nobjects = 7\npage_objects = 3\n")
	address, _ := serving(t, b.dir).Addresses()
	c := client{t, "http://" + address, b.token["NATO"]}
	path := objects(b.collections[observed])

	var root taxii.APIRoot
	_, answer := c.do(http.MethodGet, taxii.RootPath, nil)
	must(t, json.Unmarshal(answer, &root))
	if root.MaxContentLength != 9000 {
		t.Errorf("max_content_length is %d, want 9000", root.MaxContentLength)
	}
	for _, k := range []struct {
		name     string
		body     []byte
		status   int
		accepted int
	}{
		{"a body at the limit", sized(t, 9000), http.StatusAccepted, 1},
		{"a body one byte over it", sized(t, 9001), http.StatusRequestEntityTooLarge, 0},
		{"an object at the limit of depth", deep(9), http.StatusAccepted, 1},
		{"an object one level over it", deep(10), http.StatusAccepted, 0},
		{"an object below the limit of bytes", long(3000), http.StatusAccepted, 1},
		{"an object over it", long(4097), http.StatusAccepted, 0},
		{"objects at the limit", notes(7), http.StatusAccepted, 7},
	} {
		status, answer := c.do(http.MethodPost, path, k.body)
		var got taxii.Status
		if status == http.StatusAccepted {
			must(t, json.Unmarshal(answer, &got))
		}
		if status != k.status || int(got.SuccessCount) != k.accepted {
			t.Errorf("%s: %d, %d accepted, want %d, %d: %s", k.name, status, got.SuccessCount, k.status, k.accepted, answer)
		}
	}
	if status, answer := c.do(http.MethodPost, path, notes(8)); status/100 != 4 {
		t.Errorf("one object more than the limit is answered with %d: %s", status, answer)
	}
	if got := c.pages(path, 3); got != 10 {
		t.Errorf("%d objects in pages, want 10", got)
	}
}

// pages reads a collection to its end, asking for more than a page may hold.
func (c client) pages(path string, most int) (objects int) {
	c.t.Helper()
	const ask = "?limit=500"
	for next := ""; ; {
		var page struct {
			More    bool             `json:"more"`
			Next    string           `json:"next"`
			Objects []jsontext.Value `json:"objects"`
		}
		status, answer := c.do(http.MethodGet, path+ask+next, nil)
		if status != http.StatusOK {
			c.t.Fatalf("a page is answered with %d: %s", status, answer)
		}
		must(c.t, json.Unmarshal(answer, &page))
		if len(page.Objects) > most {
			c.t.Errorf("a page of %d objects, want at most %d", len(page.Objects), most)
		}
		objects, next = objects+len(page.Objects), "&next="+page.Next
		if !page.More {
			return objects
		}
	}
}

// configure adds to an office's configuration.
func configure(t *testing.T, dir, text string) {
	t.Helper()
	path := filepath.Join(dir, office.ConfigFile)
	old, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append(old, "\n"+text...), 0o600))
}

// TestALimitThatCannotWorkNamesTheLine of the configuration.
func TestALimitThatCannotWorkNamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"[limits]\nbody_bytes = 4095":                    "x:3: limits.body_bytes: 4095: want a number from 4096 to 67108864, or 0 for the default, 10485760",
		"[limits]\ndepth = 10\nobject_bytes = 1048577":   "x:4: limits.object_bytes: 1048577: want a number from 4096 to 1048576, or 0 for the default, 1048576",
		"[limits]\ndepth = 65":                           "x:3: limits.depth: 65: want a number from 8 to 64, or 0 for the default, 64",
		"[limits]\n\n\nobjects = -1":                     "x:5: limits.objects: -1: want a number from 1 to 100000, or 0 for the default, 10000",
		"[limits]\npage_objects = 1001":                  "x:3: limits.page_objects: 1001: want a number from 1 to 1000, or 0 for the default, 1000",
		"limits = {depth = 1}":                           "x:2: limits.depth: 1: want a number from 8 to 64, or 0 for the default, 64",
		"[limits]\nbodies = 1":                           `x:3: unknown key "limits.bodies"`,
		"[limits]\nDepth = 9":                            `x:3: unknown key "limits.Depth"`,
		"[limits]\ndepth.max = 9":                        `x:3: unknown key "limits.depth.max"`,
		"[limits]\nobjects = \"9\"":                      "x:3: limits.objects: want a whole number, such as 1000",
		"[limits]\nobjects = 1.5":                        "x:3: limits.objects: want a whole number, such as 1000",
		"limits = 5":                                     "x:2: limits: want a table of keys and values",
		"[[limits]]\nobjects = 9":                        "x:2: limits: want a table of keys and values",
		"[limits]\nobject_bytes = 99999999999999999999 ": "x:3: ",
	} {
		_, err := office.ParseConfig("x", "office = \"hq.example.org\"\n"+text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	zeros := "[limits]\nbody_bytes = 0\nobject_bytes = 0\ndepth = 0\nobjects = 0\npage_objects = 0\n"
	if c, err := office.ParseConfig("x", "office = \"hq.example.org\"\n"+zeros); err != nil || c.Limits != (office.Limits{}) {
		t.Errorf("zeros are not the defaults: %v", err)
	}
}

package taxii_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"

	"github.com/liaison-office/liaison/taxii"
)

// An analyst's tool reads what a collection got since it last asked.
func ExampleClient_Objects() {
	office := newMemory() // any Backend
	office.fill(cyber, 0, 5)
	server := httptest.NewTLSServer(taxii.NewHandler(office, taxii.Config{PageLimit: 2}))
	defer server.Close()

	base, _ := url.Parse(server.URL + taxii.DiscoveryPath)
	client := &taxii.Client{Base: base, HTTP: server.Client(), Credentials: taxii.Credentials{Token: "hana-token"}}
	since := taxii.Query{AddedAfter: "2026-01-01T00:00:00.000000Z"}
	for page, err := range client.Objects(context.Background(), taxii.RootPath, "cyber", since) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(len(page.Objects), "objects, more:", page.More)
	}
	// Output:
	// 2 objects, more: true
	// 2 objects, more: true
	// 1 objects, more: false
}

package pattern_test

import (
	"errors"
	"fmt"

	"github.com/liaison-office/liaison/stix/pattern"
)

func ExampleParse() {
	p, err := pattern.Parse("([domain-name:value='mirror-1.example'] FOLLOWEDBY [file:hashes.'MD5' = 'cead3f77f6cda6ec00f57d76c9a6879f'])WITHIN 300 SECONDS")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p)
	for o := range p.Observations() {
		for c := range o.Comparisons() {
			fmt.Println(c.Path.Type, "|", c.Path, "|", c.Operator, "|", c.Constant.Value())
		}
	}
	// Output:
	// ([domain-name:value = 'mirror-1.example'] FOLLOWEDBY [file:hashes.MD5 = 'cead3f77f6cda6ec00f57d76c9a6879f']) WITHIN 300 SECONDS
	// domain-name | domain-name:value | = | mirror-1.example
	// file | file:hashes.MD5 | = | cead3f77f6cda6ec00f57d76c9a6879f
}

func ExampleCheck() {
	err := pattern.Check("[file:size > 1024\n AND file:name LIKE \"%.exe\"]")
	fmt.Println(err)
	var e *pattern.Error
	if errors.As(err, &e) {
		fmt.Println("byte", e.Offset)
	}
	// Output:
	// line 2, column 21: found "\"", expected apostrophes around a string or a name (§9.2)
	// byte 38
}

func ExamplePattern_Findings() {
	p, err := pattern.Parse("[domain-name:value = 'mirror-1.example' AND ipv4-addr:value = '198.51.100.7']")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range p.Findings() {
		fmt.Printf("column %d: %s (%s)\n", f.Column, f.Message, f.Section)
	}
	// Output:
	// column 45: no object has the types on both sides of this AND; types that differ are joined by OR (§9.5)
}

func ExampleStringConstant() {
	c := &pattern.Comparison{
		Path:     pattern.Path{Type: "file", Steps: []pattern.Step{{Kind: pattern.Property, Name: "name"}}},
		Operator: pattern.Equal,
		Constant: pattern.StringConstant(`it's C:\temp`),
	}
	fmt.Println(&pattern.Pattern{Expression: &pattern.Observation{Comparison: c}})
	// Output:
	// [file:name = 'it\'s C:\\temp']
}

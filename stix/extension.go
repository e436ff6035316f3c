package stix

import (
	"bytes"
	"fmt"
	"math/bits"
	"strings"
)

// extensions checks the common property extensions (§3.2, §7.3).
func (v *validator) extensions(i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "an object of extensions")
	}
	if v.raw[i+1] == '}' {
		v.here(FindEmptyDict, "§2.3", "extensions have at least one member, or are left out")
		return i + 2
	}
	return v.each(i, v.extension)
}

// extension checks one extension: predefined, or brought by an extension-definition.
func (v *validator) extension(key []byte, i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "an object")
	}
	if t := typesByName[string(key)]; t != nil && t.extension {
		v.checkHome(t)
		return v.structure(t, i)
	}
	end := v.each(i, v.extensionProperty)
	body := v.raw[i:end]
	typ := memberOf(body, "extension_type")
	switch {
	case bytes.HasPrefix(key, []byte("extension-definition--")):
		v.extensionType(key, typ)
	case len(body) == 2:
		v.here(FindEmptyDict, "§11.3.1", "a custom extension has at least one property")
		return end
	default:
		v.here(FindExtensionKey, "§11.3", "expected the name of a predefined extension or the id of an extension-definition")
	}
	if text, _ := stringOf(typ); text == "toplevel-property-extension" {
		v.redefinitions(body)
	}
	return end
}

// extensionProperty checks a name that an extension brings (§7.3.2, §11.3.1). The names of
// common properties are good names, id among them.
func (v *validator) extensionProperty(name []byte, i int) int {
	if !isPropertyName(name) && unknownSDO.find(hashName(name), name) < 0 {
		v.here(FindName, "§7.3.2", "property names are 3 to 250 of a-z, 0-9 and _, beginning with a letter")
	}
	return v.nothingEmpty(i)
}

// extensionType wants what the extension facility demands.
func (v *validator) extensionType(key, typ []byte) {
	if fault := idFault(key); fault != "" {
		v.here(FindExtensionForm, "§3.2", "the key "+quoteShort(string(key))+" "+fault)
	}
	switch text, ok := stringOf(typ); {
	case typ == nil:
		v.find(FindExtensionForm, "extension_type", "§3.2", "expected extension_type, which says what the extension brings")
	case !ok || !extensionTypeEnum.Has(text):
		v.find(FindExtensionForm, "extension_type", "§10.5", "expected one of "+strings.Join(extensionTypeEnum.Terms, ", "))
	}
}

// ownProperty: an object of a type that an extension defines has a property beside the
// common ones, at the top level or in an extension (§7.3.2).
func (v *validator) ownProperty(s *scope) {
	if v.category == 0 || s.names > bits.OnesCount64(s.seen) {
		return
	}
	for _, extension := range objectMembers(v.value(s, "extensions")) {
		for name := range objectMembers(extension) {
			if name != "extension_type" {
				return
			}
		}
	}
	v.find(FindAtLeast, "", "§7.3.2", "expected at least one property beside the common ones")
}

// redefinitions: an extension of top-level properties does not declare common ones.
func (v *validator) redefinitions(body []byte) {
	for name := range objectMembers(body) {
		if unknownSDO.place(name) >= 0 && name != "type" {
			v.find(FindExtension, name, "§7.3.1", "an extension of top-level properties does not declare "+name)
		}
	}
}

// homes says which objects a predefined extension belongs to.
var homes = map[string]string{
	"archive-ext": "file", "ntfs-ext": "file", "pdf-ext": "file", "raster-image-ext": "file", "windows-pebinary-ext": "file",
	"http-request-ext": "network-traffic", "icmp-ext": "network-traffic", "socket-ext": "network-traffic", "tcp-ext": "network-traffic",
	"windows-process-ext": "process", "windows-service-ext": "process", "unix-account-ext": "user-account",
}

func (v *validator) checkHome(extension *Type) {
	typ := v.o.typ
	if v.inside != nil {
		typ = v.inside.typ
	}
	if home := homes[extension.Name]; home != typ {
		v.here(FindExtensionForm, extension.Section, fmt.Sprintf("%s belongs to a %s, not to a %s", extension.Name, home, typ))
	}
}

package taxii

import "net/http"

// CredentialsOf reads the credentials of a request. ErrUnauthorized means that
// an Authorization header is there and cannot be used.
func CredentialsOf(r *http.Request) (Credentials, error) { return credentialsOf(r.Header) }

// Refuse answers a request with an error as this handler does, byte for byte:
// for resources that a server offers beside the API root.
func (h *Handler) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	c, bad := credentialsOf(r.Header)
	h.refuse(&exchange{w: w, r: r, anonymous: bad == nil && c.Anonymous()}, err)
}

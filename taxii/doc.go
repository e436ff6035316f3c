// Package taxii speaks TAXII 2.1 (OASIS Standard): the wire types, a client,
// and an http.Handler that serves one API root over a small Backend.
//
// # Paths
//
//	/taxii2/                                             discovery
//	/taxii2/root/                                        the API root
//	/taxii2/root/collections/                            what the principal may see
//	/taxii2/root/collections/{collection}/               one of them, by id or alias
//	/taxii2/root/collections/{collection}/objects/       read a page, add an envelope
//	/taxii2/root/collections/{collection}/objects/{object}/
//	/taxii2/root/collections/{collection}/objects/{object}/versions/
//	/taxii2/root/collections/{collection}/manifest/
//	/taxii2/root/status/{status}/
//
// A path without its last slash is served too: register the handler for both
// "/taxii2" and "/taxii2/", so that an http.ServeMux in front does not redirect.
//
// # Invariants
//
//   - A collection that does not exist, one the principal may not see, a path
//     nobody serves and an object that is not there are the same 404, byte for
//     byte. Without valid credentials everything but a public collection is the
//     same 401. Neither repeats anything of the request.
//   - Objects leave as the bytes the backend stores: a page is written by
//     appending them, never by decoding and encoding.
//   - X-TAXII-Date-Added-First and -Last speak of the page they come with only.
//   - A body is counted after inflation and never read beyond the limit.
//   - What a Backend's error says reaches the client only if it is a *Refusal;
//     everything else is a 500 with a reference number, and the log has the rest.
//
// # What it does not do
//
// It stores nothing, judges no STIX object and knows no party, programme or
// password: the Backend does. It deletes nothing: DELETE answers 405. It sets no
// deadlines on connections: that is the http.Server's work.
package taxii

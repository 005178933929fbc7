// Package js has the JavaScript client, as it is published: one module without dependencies and without a build step.
//
// Browsers, Node, Deno and Bun use it; README.md says how. For Go it is a text, which the HubClient web server serves to
// its page. The tests of the module are run from here, too. It starts no goroutine.
package js

import _ "embed"

// Module is the JavaScript module hub.js.
//
//go:embed hub.js
var Module string

// Package archtest checks which package imports which, against a table in its test. It has no code but the test.
//
// A package may import what its row allows and nothing else of ours, and only the external libraries that the row
// names; a package without a row fails the test. It checks the imports of packages, not what these import in turn.
package archtest

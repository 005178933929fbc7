// Package e2e tests the product from outside: real processes of the command, a real Redis, real clients, and faults.
//
// Its tests use the harness in harness_test.go, which builds the command once and starts it as HubServers ([startHub])
// and HubClients ([startPage]); package redistest starts Redis. What publishers and subscribers logged is judged by the
// checker in checker_test.go. Tests that need Redis or a browser stand in files that the tag short leaves out.
//
// With the race detector, the processes under test have it too, and it is for them that `make race` runs these tests. Files
// whose tag is !race are left to `make test`: what they test is a page, or the JavaScript client in one, of which the
// detector sees nothing. The hub behind it has a handful of clients that wait for each other, or is a script within the
// test. All tests that load a hub, or do something to it under load, run with the detector, that of the JavaScript client
// too (TestJavaScriptNemesis).
//
// Tests run side by side where they have processes of their own and no limit of time but that of liveness, a minute, or one
// with room for what runs beside them. Those that judge how soon something happens, or load all processors, run alone.
//
// It has no code but tests.
package e2e

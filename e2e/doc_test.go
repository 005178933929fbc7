// Package e2e tests the product from outside: real processes of the command, a real Redis, real clients, and faults.
//
// Its tests use the harness in harness_test.go, which builds the command once and starts it as HubServers ([startHub])
// and HubClients ([startPage]); package redistest starts Redis. What publishers and subscribers logged is judged by the
// checker in checker_test.go. Tests that need Redis or a browser stand in files that the tag short leaves out.
//
// Tests run side by side where they have processes of their own and no limit of time but that of liveness, a minute.
// Those that judge how long something takes, or how much it needs, run alone.
//
// It has no code but tests.
package e2e

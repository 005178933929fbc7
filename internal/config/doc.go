// Package config is what the commands can be told: one struct a command, its defaults, and where values come from.
//
// A struct's field has a key in its tag, and one rule makes of it the name in the file, the environment variable and
// the flag. For the key "log.level", which is the key "level" in the struct under the key "log":
//
//	file         log:
//	               level: debug
//	environment  REALTIME_HUB_LOG_LEVEL=debug, or REALTIME_HUB_LOG_LEVEL_FILE=/path/of/a/file/with/the/value
//	flag         --log-level debug
//
// A flag goes before the environment, that before the file, and that before the default. No file is read that was not
// named. The file is strict: an unknown key is an error. An unknown environment variable is a warning, since Kubernetes
// makes variables after the names of services.
//
// A list of groups, [Room], stands in the file alone: it has no variable and no flag. Its groups have keys by the same
// rule, which errors call rooms[0].match and so on.
//
// The main type is [Loader], which fills one struct and knows where each value came from. Errors are of type [*Error],
// several of them joined: each names the key as it was given, what is wrong with it, and what to do.
//
// The package starts no goroutine, keeps no state, and does not read the process's environment or arguments itself: it
// is given both. Of files it reads the configuration, those that variables name, and broker_ca. It does not look up
// names or open ports, so a valid configuration may still fail to work.
package config

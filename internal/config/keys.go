package config

import "time"

// HubServer is the configuration of `hubserver`.
type HubServer struct {
	Listen      string `key:"listen" default:"127.0.0.1:8081" usage:"address to listen on, host:port"`
	Name        string `key:"name" usage:"the hub's name, shown to people (default: the host name)"`
	AdminListen string `key:"admin_listen" usage:"serve /metrics at this host:port, and there alone; without it /metrics is served where --listen is loopback"`
	Broker      string `key:"broker" default:"memory://" usage:"what joins hubs: memory://, redis://[user:password@]host:port, or rediss://… for TLS" secret:"true"`
	TokenKey    string `key:"token_key" usage:"secret of at least 32 bytes, with which tokens are made; clients must then show one (default: anybody may come)" secret:"whole"`
	TLSCert     string `key:"tls_cert" usage:"file with the hub's certificate and those behind it (PEM); with tls_key the hub speaks TLS, https:// and wss:// (default: it does not)"`
	TLSKey      string `key:"tls_key" usage:"file with the private key of tls_cert (PEM)"`
	Hub         Hub    `key:",inline"`
	Redis       Redis  `key:",inline"`
	Log         Log    `key:"log"`
}

// HubClient is the configuration of `hubclient`.
type HubClient struct {
	Listen       string   `key:"listen" default:"127.0.0.1:9081" usage:"address to listen on, host:port"`
	Hub          []string `key:"hub" default:"http://127.0.0.1:8081" usage:"the HubServer as the browser reaches it; repeatable: the first is home, the others are for when it is down"`
	Proxy        bool     `key:"proxy" usage:"pass the page's WebSocket on to the HubServer, instead of having the browser reach it"`
	AllowedHosts []string `key:"allowed_hosts" usage:"host names that requests on a loopback listener may be addressed to, besides localhost and loopback addresses"`
	Log          Log      `key:"log"`
}

// Up is the configuration of `up`.
type Up struct {
	Hubs    int    `key:"hubs" default:"2" usage:"how many hubs, each with its page"`
	Host    string `key:"host" default:"127.0.0.1" usage:"address to listen on"`
	HubPort int    `key:"hub_port" default:"8081" usage:"port of the first hub, the others follow it; 0 takes free ones"`
	WebPort int    `key:"web_port" default:"9081" usage:"port of the first page, the others follow it; 0 takes free ones"`
	Broker  string `key:"broker" default:"memory://" usage:"what joins hubs: memory://, redis://[user:password@]host:port, or rediss://… for TLS" secret:"true"`
	Hub     Hub    `key:",inline"`
	Redis   Redis  `key:",inline"`
	Log     Log    `key:"log"`
}

// Pub is the configuration of `pub`.
type Pub struct {
	Reach Reach  `key:",inline"`
	Kind  string `key:"kind" default:"text" usage:"what is published: text, json or binary"`
	Count int    `key:"count" usage:"stop after so many messages (default: at the end of the input)"`
	JSON  bool   `key:"json" usage:"print what the hub answers, one JSON object a line"`
}

// Sub is the configuration of `sub`.
type Sub struct {
	Reach Reach `key:",inline"`
	Count int   `key:"count" usage:"stop after so many messages (default: never)"`
	JSON  bool  `key:"json" usage:"print one JSON object a line"`
}

// Bench is the configuration of `bench`.
type Bench struct {
	Hub      []string `key:"hub" default:"http://127.0.0.1:8081" usage:"address of a HubServer; repeatable: the connections are dealt over all"`
	Embedded bool     `key:"embedded" usage:"start a hub for the test, in a process of its own, and end it afterwards"`
	Protocol string   `key:"protocol" default:"plain" usage:"what the connections speak: plain, or v1 with keys and acknowledgements"`

	Conns      int           `key:"conns" default:"1000" usage:"connections, each of which gets what the others of its room publish"`
	Publishers int           `key:"publishers" default:"8" usage:"how many of the connections publish, at most all"`
	Rooms      int           `key:"rooms" default:"1" usage:"rooms over which the connections are dealt"`
	Room       string        `key:"room" default:"live.bench" usage:"how the names of the rooms begin, a hyphen and a number follow; by default they are live rooms"`
	Rate       int           `key:"rate" default:"50" usage:"messages a second in all, by the clock (open loop); 0: as fast as it goes"`
	Window     int           `key:"window" usage:"instead of a rate: messages on their way at any time (closed loop)"`
	Size       Bytes         `key:"size" default:"64B" usage:"bytes of a message, at least 16"`
	Duration   time.Duration `key:"duration" default:"10s" usage:"how long to measure"`
	Warmup     time.Duration `key:"warmup" default:"1s" usage:"how long to publish before that"`
	Drain      time.Duration `key:"drain" default:"5s" usage:"longest wait for what is still on its way at the end; what comes later counts as lost"`
	Idle       bool          `key:"idle" usage:"publish nothing: hold the connections, and say what memory of the hub each takes"`

	Assert []string `key:"assert" usage:"fail with exit code 7 unless this holds, for instance 'p99<10ms,lost=0'; repeatable"`
	JSON   bool     `key:"json" usage:"print the result as one JSON object"`
	HubPID []string `key:"hub_pid" usage:"process of the hub, for its CPU and memory; repeatable (default: whichever listens, where that is on this machine)"`
	CA     string   `key:"ca" usage:"file with the certificate authorities (PEM) that sign the hub's certificate (default: the system's)"`
	Token  string   `key:"token" usage:"token for hubs that want one" secret:"whole"`
}

// Reach is how a client gets to hubs.
type Reach struct {
	Hub   []string `key:"hub" default:"http://127.0.0.1:8081" usage:"address of the HubServer; repeatable: the first is home, the others are for when it is down"`
	Token string   `key:"token" usage:"token for hubs that want one" secret:"whole"`
}

// Hub is what every hub has, however it is started.
type Hub struct {
	AllowedOrigins []string `key:"allowed_origins" usage:"exact origins whose pages may use this hub, for instance https://chat.example.com (default: every origin of the request's own host name)"`
	AllowedHosts   []string `key:"allowed_hosts" usage:"host names that requests on a loopback listener may be addressed to, besides localhost and loopback addresses"`
	MaxMessage     Bytes    `key:"max_message" default:"64KiB" usage:"largest message"`
	SendQueue      Bytes    `key:"send_queue" default:"1MiB" usage:"most that waits for one session, at least 64KiB and six times max_message; beyond it the oldest messages of live rooms are dropped; a session that is too slow for log rooms is closed, and resumes"`

	Rooms         []Room        `key:"rooms" usage:"in the file alone: groups with the keys match (a pattern of rooms' names), kind (log or live), and for log rooms history (messages) and ttl; the first that matches a name counts (default: live.* is live, all others are log rooms with 1000 messages for 24h)"`
	Outbox        Bytes         `key:"outbox" default:"16MiB" usage:"most that the hub keeps of messages of log rooms that are not stored yet, at least max_message and 1KiB; beyond it publishing is refused"`
	OutboxAge     time.Duration `key:"outbox_age" default:"10m" usage:"longest that the hub keeps a message of a log room while Redis is away"`
	KeyTTL        time.Duration `key:"key_ttl" default:"30m" usage:"how long the key of a message is remembered, so that it is stored once however often it is sent; at least outbox_age and 11 minutes"`
	CheckInterval time.Duration `key:"check_interval" default:"20s" usage:"how often each log room is compared with where its log ends"`

	Linger           time.Duration `key:"linger" default:"5s" usage:"how long somebody whose connection broke is still said to be there: a page that is reloaded, or goes over to another hub, does not leave"`
	HandshakeTimeout time.Duration `key:"handshake_timeout" default:"10s" usage:"longest time for a request's header, and for a session's hello"`
	PingInterval     time.Duration `key:"ping_interval" default:"25s" usage:"ping a connection that was silent for so long"`
	PongTimeout      time.Duration `key:"pong_timeout" default:"10s" usage:"close a connection that was silent for so long after a ping"`
	WriteTimeout     time.Duration `key:"write_timeout" default:"30s" usage:"close a connection to which one write of at most 256 KiB was not done in so long"`
	DrainTimeout     time.Duration `key:"drain_timeout" default:"10s" usage:"longest time to close the sessions at a stop"`

	Engine string `key:"engine" default:"auto" usage:"what moves bytes between sockets and sessions: epoll (Linux; nothing for idle connections), goroutine (two for each connection), or auto: epoll where the system has it"`
	Loops  int    `key:"loops" usage:"how many loops share the sessions (default: one for each four cores, and one at least); more use more cores, and each write carries less"`
}

// Redis is what the Redis broker has beyond its URL.
type Redis struct {
	BrokerTimeout   time.Duration `key:"broker_timeout" default:"1s" usage:"isolated when Redis has not answered for so long"`
	BrokerPing      time.Duration `key:"broker_ping" default:"500ms" usage:"how often to ask Redis whether it is there"`
	BrokerQueue     Bytes         `key:"broker_queue" default:"16MiB" usage:"most that waits to be published at Redis; beyond it messages of live rooms are dropped for the other hubs, and publishing in log rooms is refused"`
	BrokerSilence   time.Duration `key:"broker_silence" default:"5s" usage:"try out a subscription at Redis that brought nothing for so long"`
	PresenceTimeout time.Duration `key:"presence_timeout" default:"6s" usage:"take a hub that was not heard of at Redis for so long for dead, and its people for gone"`
	Durability      string        `key:"durability" default:"memory" usage:"what has happened to a message of a log room when it is acknowledged: memory (Redis has it), replicated (a replica has it too) or fsynced (it is on Redis's disk)"`
	BrokerCA        string        `key:"broker_ca" usage:"file with the certificate authorities (PEM) that sign Redis's certificate (default: the system's)"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `key:"level" default:"info" usage:"debug, info, warn or error"`
	Format string `key:"format" default:"auto" usage:"text, json, or auto: text on a terminal, JSON otherwise"`
}

// Config is the configuration of one command: a pointer to one of this package's structs.
type Config interface {
	// Validate returns what is wrong with the values, as one or several joined [*Error], or nil.
	Validate() error
}

// Command is a command that has a configuration.
type Command struct {
	Name string
	New  func() Config // returns a zero configuration of it
	File bool          // whether it reads a configuration file
}

// Commands returns every command that has a configuration. An environment variable of any of them may be set for all.
func Commands() []Command {
	return []Command{
		{Name: "hubserver", New: func() Config { return new(HubServer) }, File: true},
		{Name: "hubclient", New: func() Config { return new(HubClient) }, File: true},
		{Name: "up", New: func() Config { return new(Up) }, File: true},
		{Name: "pub", New: func() Config { return new(Pub) }},
		{Name: "sub", New: func() Config { return new(Sub) }},
		{Name: "bench", New: func() Config { return new(Bench) }},
	}
}

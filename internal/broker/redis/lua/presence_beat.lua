#!lua
-- Says that a registration is alive, and answers who else is.
-- KEYS: hubs, changes, serial. ARGV: registration, state and hub, milliseconds that changes are kept, "new" to register.
-- Answers: 1 or 0 for a registration that is not there any more; the time; the newest change; its serial; all of hubs.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local was = redis.call('HGET', KEYS[1], ARGV[1])
local there = 0
if ARGV[4] == 'new' or (was and not string.find(was, '^%d+ dying ')) then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s', now, ARGV[2]))
  there = 1
end
redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f', now - ARGV[3]))
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return {
  there, string.format('%.0f', now), newest[1] and newest[1][1] or '0-0', redis.call('GET', KEYS[3]) or '0',
  redis.call('HGETALL', KEYS[1])
}

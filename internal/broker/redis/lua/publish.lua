#!lua
-- Appends messages to one room's log and publishes them in one message. Refused as a whole when memory is full.
--
-- KEYS: stream, meta, then the idempotency key of each message.
-- ARGV: entries to keep, ttl of stream, of meta and of keys in ms, nonce, channel, then each message, encoded.
-- Returns the newest epoch, then for each message its offset, or for a duplicate epoch:offset of the first.
local stream, meta = KEYS[1], KEYS[2]
local keep, stream_ttl, meta_ttl, key_ttl, nonce, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

-- All that may fail comes before the first message is written.
local epoch, top, _, name = open(stream, meta, nonce, true)
local before = top
local stored, at = redis.call('mget', unpack(KEYS, 3)), {}
for i, value in ipairs(stored) do
  -- A key may outlive its log, where somebody deleted that: it counts in the log that it is of, and in no other.
  local e, o, n = (value or ''):match('^(%w+):(%d+):?(%w*)$')
  if e and (n == '' and e or n) == name then at[KEYS[i + 2]] = e .. ':' .. o end
end

local out, news = {epoch}, {}
for i = 3, #KEYS do
  local key, first = KEYS[i], at[KEYS[i]]
  if first then
    out[#out + 1] = first
  else
    local message, offset = ARGV[i + 4], string.format('%d', top + 1)
    redis.call('xadd', stream, offset .. '-0', 'e', epoch, 'd', message)
    at[key] = epoch .. ':' .. offset
    redis.call('set', key, epoch == name and at[key] or at[key] .. ':' .. name, 'PX', key_ttl)
    top = top + 1
    out[#out + 1] = top
    news[#news + 1] = message
  end
end
if top > before then
  redis.call('hset', meta, 's', string.format('%d', top))
  redis.call('xtrim', stream, 'MAXLEN', tonumber(keep) < 1000 and '=' or '~', keep)
  if redis.call('pttl', stream) < tonumber(stream_ttl) * 15 / 16 then
    redis.call('pexpire', stream, stream_ttl)
    redis.call('pexpire', meta, meta_ttl)
  end
  redis.call('publish', channel, string.format('\1%s:%d;', epoch, before + 1) .. table.concat(news))
end
return out

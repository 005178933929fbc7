#!lua
-- Changes who is where on a hub, and tells the others, all or nothing.
-- KEYS: hubs, changes, serial, rooms of the registration, then for each change the people of its room.
-- ARGV: registration, hub, kind and text of what is told (no kind: nothing), most changes kept, the time after which it is
-- too late ('' for never), then for each change the room, the id, and the entry: id, time and name, or '' where the person
-- is gone.
-- Answers 1, 0 for a registration that is not there any more, or 2 where it is too late, and nothing was done.
local was = redis.call('HGET', KEYS[1], ARGV[1])
if not was or string.find(was, '^%d+ dying ') then
  return 0
end
if ARGV[6] ~= '' then
  local time = redis.call('TIME')
  if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[6]) then
    return 2
  end
end
for i = 5, #KEYS do
  local at = 7 + (i - 5) * 3
  local room, id, entry = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  redis.call('ZREMRANGEBYLEX', KEYS[i], '[' .. id .. ' ', '(' .. id .. '!') -- '!' comes behind the space
  if entry ~= '' then
    redis.call('ZADD', KEYS[i], 0, entry)
    redis.call('ZADD', KEYS[4], 0, room)
  elseif redis.call('ZCARD', KEYS[i]) == 0 then
    redis.call('ZREM', KEYS[4], room)
  end
end
if ARGV[3] ~= '' then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'n', redis.call('INCR', KEYS[3]), 'h', ARGV[2], 'k', ARGV[3], 'd', ARGV[4])
end
return 1

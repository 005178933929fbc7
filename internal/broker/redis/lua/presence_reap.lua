#!lua
-- Clears away some of a registration whose hub is dead, unless it has been heard of since.
-- KEYS: hubs, rooms of the registration. ARGV: what the keys of registrations begin with, the registration, what hubs had
-- of it when it was last looked at, or '' where its own hub gives it up, the most rooms to clear away.
-- Answers 1 where something is left, 0 where there is nothing, or it lives.
local was = redis.call('HGET', KEYS[1], ARGV[2])
if not was then
  return 0
end
if not string.find(was, '^%d+ dying ') then
  if ARGV[3] ~= '' and was ~= ARGV[3] then
    return 0
  end
  redis.call('HSET', KEYS[1], ARGV[2], (string.gsub(was, '^(%d+) %a+ ', '%1 dying ')))
end
local rooms = redis.call('ZRANGE', KEYS[2], 0, ARGV[4] - 1)
for _, room in ipairs(rooms) do
  redis.call('UNLINK', ARGV[1] .. ARGV[2] .. ':of:' .. room)
  redis.call('ZREM', KEYS[2], room)
end
if #rooms == tonumber(ARGV[4]) then
  return 1
end
redis.call('HDEL', KEYS[1], ARGV[2])
return 0

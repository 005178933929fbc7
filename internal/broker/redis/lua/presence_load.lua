#!lua
-- Reads who is in rooms.
-- KEYS: hubs, changes. ARGV: what the keys of registrations begin with, this registration, the most people of a list, how
-- many registrations are dead, they, then the rooms.
-- Answers: the newest change; the registrations that are ready, with what hubs has of them; for each room and each of
-- these in turn the number of people and, but for a crowd and this registration, the entries.
local dead, at = {}, 4 + ARGV[4]
for i = 5, at do
  dead[ARGV[i]] = true
end
local ready, hubs = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #hubs, 2 do
  if string.find(hubs[i + 1], '^%d+ ready ') and not dead[hubs[i]] then
    ready[#ready + 1] = hubs[i]
    ready[#ready + 1] = hubs[i + 1]
  end
end
local rooms = {}
for i = at + 1, #ARGV do
  local all, shares = 0, {}
  for r = 1, #ready, 2 do
    local count = redis.call('ZCARD', ARGV[1] .. ready[r] .. ':of:' .. ARGV[i])
    all = all + count
    shares[#shares + 1] = {count, false}
  end
  if all <= tonumber(ARGV[3]) then
    for r = 1, #ready, 2 do
      if ready[r] ~= ARGV[2] then
        shares[(r + 1) / 2][2] = redis.call('ZRANGE', ARGV[1] .. ready[r] .. ':of:' .. ARGV[i], 0, -1)
      end
    end
  end
  rooms[#rooms + 1] = shares
end
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return {newest[1] and newest[1][1] or '0-0', ready, rooms}

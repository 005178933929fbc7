#!lua
-- Reads a page of the people of a room, or of the rooms that have people.
-- KEYS: hubs. ARGV: what the keys of registrations begin with, the room ('' for a page of rooms), behind what it begins,
-- the most that it has, how many registrations are dead, they.
-- Answers for people: the number of them all, then for each registration what hubs has of it, and its entries. For rooms:
-- each name and its number, one more than asked for where there are more.
local function less(a, b) -- by bytes, as sorted sets have it: the language's own order is that of the server's locale
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end
local dead = {}
for i = 6, 5 + ARGV[5] do
  dead[ARGV[i]] = true
end
local room, limit = ARGV[2], ARGV[4] + 1
local hubs = redis.call('HGETALL', KEYS[1])
local all, out, names, seen = 0, {}, {}, {}
for i = 1, #hubs, 2 do
  if string.find(hubs[i + 1], '^%d+ ready ') and not dead[hubs[i]] then
    local key, from = ARGV[1] .. hubs[i], '-'
    if room ~= '' then
      if ARGV[3] ~= '' then
        from = '(' .. ARGV[3] .. '!' -- behind all entries of that id
      end
      all = all + redis.call('ZCARD', key .. ':of:' .. room)
      out[#out + 1] = hubs[i + 1]
      out[#out + 1] = redis.call('ZRANGE', key .. ':of:' .. room, from, '+', 'BYLEX', 'LIMIT', 0, limit)
    else
      if ARGV[3] ~= '' then
        from = '(' .. ARGV[3]
      end
      for _, name in ipairs(redis.call('ZRANGE', key .. ':in', from, '+', 'BYLEX', 'LIMIT', 0, limit)) do
        if not seen[name] then
          seen[name] = true
          names[#names + 1] = name
        end
      end
    end
  end
end
if room ~= '' then
  return {all, out}
end
table.sort(names, less)
for n = 1, math.min(#names, limit) do
  local count = 0
  for i = 1, #hubs, 2 do
    if string.find(hubs[i + 1], '^%d+ ready ') and not dead[hubs[i]] then
      count = count + redis.call('ZCARD', ARGV[1] .. hubs[i] .. ':of:' .. names[n])
    end
  end
  out[#out + 1] = names[n]
  out[#out + 1] = count
end
return out

#!lua flags=allow-oom
-- Reads one room's log after a position. It makes and refreshes meta where keep is not 0, also when memory is full.
--
-- KEYS: stream, meta.
-- ARGV: epoch ('' for the top), offset, most entries, most bytes, nonce, keep: ttl of meta in ms, or 0.
-- Returns the newest epoch, the newest offset, EMPTY, TOP, OK or RESET, a number, the fork list, and the entries, each
-- as its epoch and its message. The number is for OK the first offset that was lost, or 0, and for RESET the offset
-- before the oldest entry kept.
local stream, meta = KEYS[1], KEYS[2]
local since_epoch, since, limit, bytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local nonce, keep = ARGV[5], tonumber(ARGV[6])
local epoch, top, forks = open(stream, meta, nonce, keep > 0)
if not epoch then return {'', 0, since_epoch == '' and 'EMPTY' or 'RESET', 0, '', {}} end
if keep > 0 and redis.call('pttl', meta) < keep * 15 / 16 then redis.call('pexpire', meta, keep) end
if since_epoch == '' then return {epoch, top, 'TOP', 0, forks, {}} end

local function reset(after)
  local next = redis.call('xrange', stream, string.format('%d-0', after + 1), '+', 'COUNT', 1)[1]
  return {epoch, top, 'RESET', next and tonumber(next[1]:match('^%d+')) - 1 or top, forks, {}}
end

local list, from, lost = {}, nil, 0
for e, start in forks:gmatch('([^,:]+):(%d+)') do list[#list + 1] = {e, tonumber(start)} end
for i = 1, #list do
  if list[i][1] == since_epoch then
    local last = list[i + 1] and list[i + 1][2] - 1 or top
    if since <= last then
      from = since
    elseif list[i + 1] then
      from, lost = last, last + 1
    end
  end
end
if not from then return reset(0) end

-- In steps, as only what was fetched says how large it is.
local entries, at, size = {}, from, 0
while at < top and at < from + limit and size < bytes do
  local count = math.min(from + limit - at, 32)
  local page = redis.call('xrange', stream, string.format('%d-0', at + 1), '+', 'COUNT', count)
  for _, entry in ipairs(page) do
    if entry[1] ~= string.format('%d-0', at + 1) then page = {} break end
    at = at + 1
    entries[#entries + 1] = entry[2][2]
    entries[#entries + 1] = entry[2][4]
    size = size + #entry[2][4]
    if size >= bytes then break end
  end
  if #page == 0 then
    if at == from then return reset(from) end
    break
  end
end
return {epoch, top, 'OK', lost, forks, entries}

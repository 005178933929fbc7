-- The beginning of both scripts, which stands behind their first line.
--
-- A reign is one life of the log under one primary: @RUN@ is replaced by the server's run_id when the script is loaded,
-- so that another process answers NOSCRIPT; master_replid changes when a replica, or a primary that was demoted, is
-- promoted. A log that changed its reign may have lost its tail, so a new epoch begins. Its name is the call's nonce:
-- fresh and random at each call and each retry, letters and digits alone.
--
-- meta is a hash: e the newest epoch, s the newest offset, r the reign, f the fork list, which names 32 epochs at most,
-- n the first epoch of all, which names the log. Returns e, s, f and n, or nothing where there is no log and none is to
-- be made.
local function open(stream, meta, nonce, make)
  local m = redis.call('hmget', meta, 'e', 's', 'r', 'f', 'n')
  local epoch, top, forks, name = m[1], tonumber(m[2] or '0'), m[4], m[5]
  if not epoch and not make then return end
  local reign = '@RUN@:' .. redis.call('info', 'replication'):match('master_replid:(%x+)')
  if not epoch then
    redis.call('del', stream)
    epoch, top, forks, name = nonce, 0, nonce .. ':1', nonce
    redis.call('hset', meta, 'e', epoch, 's', '0', 'r', reign, 'f', forks, 'n', name)
  elseif m[3] ~= reign then
    epoch = nonce
    forks = forks .. ',' .. epoch .. ':' .. string.format('%d', top + 1)
    while select(2, forks:gsub(',', '')) > 31 do forks = forks:gsub('^[^,]*,', '', 1) end
    redis.call('hset', meta, 'e', epoch, 'r', reign, 'f', forks)
  end
  return epoch, top, forks, name
end

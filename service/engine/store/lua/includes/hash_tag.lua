-- Put in front of every script in a cluster alone: KEYS[1] is the hash tag of the place, with which each key begins. No such key
-- is ever written, so that a server which is giving its slot away refuses the script before it has written anything.

local redis = (function()
  local server, tag = redis, KEYS[1]
  local call = server.call

  local function first(command, key, ...) return call(command, tag .. key, ...) end

  local function every(words)
    for i = 1, #words do words[i] = tag .. words[i] end
    return unpack(words)
  end

  local function subscribers(_, ...) return call('PUBSUB', 'SHARDNUMSUB', every({...})) end

  local function send(command, ...)
    if FIRST[command] then return first(command, ...) end
    if NONE[command] then return call(command, ...) end
    if command == 'PUBLISH' then return first('SPUBLISH', ...) end
    if EVERY[command] then return call(command, every({...})) end
    if command == 'PUBSUB' and ... == 'NUMSUB' then return subscribers(...) end
    error('the keys of the command ' .. tostring(command) .. ' are not known: it cannot be sent to a cluster')
  end

  return setmetatable({call = send}, {__index = server})
end)()

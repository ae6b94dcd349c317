-- Put in front of every script before loading; what only some need stands in files of its own, because
-- a function costs the server time by being there (service/engine/store/scripts.py).
-- Scripts build key names from ids: all keys of a place are on one server, in a cluster by its hash tag (hash_tag.lua).

local P = 'offload:'
-- Ready jobs are scored this far in the past; deferred jobs by their due time, running ones by the end of their lease.
local H = 315360000000
-- Without this bound a queue whose costs are underestimated would age its low-priority jobs too slowly.
local MAX_LAG = 3600000
local HEAD_START = {high = 600000, normal = 0, low = -600000}
-- Members of a queue's set that are not jobs: a key's next start is due (limit_keys.lua).
local LIMIT_DUE = 'offload:limit-due:'
local WAITING = {queued = true, scheduled = true, retrying = true}
-- A job that waits for its own time is not work that workers are behind with.
local BACKLOG = {queued = true, retrying = true}
local DEFERRED = {scheduled = true, retrying = true}
local TERMINAL = {completed = true, failed = true, cancelled = true, expired = true}

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local READY = now - H / 2

local function job_key(id) return P .. 'job:' .. id end

-- What one call counts, places and removes is written at its end (service/engine/store/scripts.py), each key in one command: a
-- batch of a hundred jobs costs little more than one. A function that reads such a key within the call calls write_out() first.
-- Nothing of it is where the call ends in an error.
local placed, removed, backlog, counted, events = {}, {}, {}, {}, {}

-- For a script that goes on after an error: what stood where, three words a change, since it last called keep_changes().
local undo, undo_words

local function change(list, name, value)
  if undo then
    -- A hole would end the list: what was not there yet stands as `undo` itself.
    local before = list[name]
    if before == nil then before = undo end
    undo[undo_words + 1], undo[undo_words + 2], undo[undo_words + 3] = list, name, before
    undo_words = undo_words + 3
  end
  list[name] = value
end

-- The list is used again: one that had to grow with each job cost as much as the job's counts and places.
local function keep_changes() undo, undo_words = undo or {}, 0 end

local function take_back()
  for n = undo_words - 2, 1, -3 do
    local before = undo[n + 2]
    if before == undo then before = nil end
    undo[n][undo[n + 1]] = before
  end
end

-- Where a member of a sorted set comes to stand; without a score it leaves.
local function place(key, member, score)
  local members = placed[key]
  if not members then
    members = {}
    placed[key] = members
  end
  change(members, member, score or false)
end

-- What is counted in the present minute stands by queue, kind and type: their names are put together once a call.
local function add(queue, kind, type, field, by)
  local kinds = counted[queue]
  if not kinds then
    kinds = {[''] = {}, ['|'] = {}, ['/'] = {}}
    counted[queue] = kinds
  end
  local fields = kinds[kind][type]
  if not fields then
    fields = {}
    kinds[kind][type] = fields
  end
  change(fields, field, (fields[field] or 0) + by)
end

-- A measure of the queue as a whole.
local function count(queue, field, by) add(queue, '', '', field, by) end

-- What happened to jobs is counted by type: a queue's own figure is the sum over `|`, and parts stand apart with a `/`.
local function tally(j, field, by) add(j.queue, j.parent == '' and '|' or '/', j.type, field, by) end

-- Lua passes no more than some thousand arguments at once. Without a word nothing is sent.
local function send(words, command, key)
  for i = 1, #words, 1000 do redis.call(command, key, unpack(words, i, math.min(i + 999, #words))) end
end

local function write_places(key, members)
  local come, go, n = {}, {}, 0
  for member, score in pairs(members) do
    if score then
      come[n + 1], come[n + 2], n = score, member, n + 2
    else
      go[#go + 1] = member
    end
  end
  send(come, 'ZADD', key)
  send(go, 'ZREM', key)
end

local function write_out()
  for key, members in pairs(placed) do
    local member, score = next(members)
    if member == nil then -- taken back
    elseif next(members, member) then write_places(key, members)
    elseif score then redis.call('ZADD', key, score, member)
    else redis.call('ZREM', key, member) end
  end
  for i = 1, #removed, 1000 do redis.call('DEL', unpack(removed, i, math.min(i + 999, #removed))) end
  for queue, by in pairs(backlog) do
    if by ~= 0 then redis.call('HINCRBY', P .. 'queue:' .. queue, 'backlog_ms', by) end
  end
  for queue, kinds in pairs(counted) do
    local key = P .. 'minute:' .. queue .. ':' .. math.floor(now / 60000)
    for kind, types in pairs(kinds) do
      for type, fields in pairs(types) do
        for field, by in pairs(fields) do
          -- The first of a minute: what holds for all of them is written once.
          if redis.call('HINCRBY', key, field .. kind .. type, by) == by then
            redis.call('EXPIRE', key, KEEP_MINUTES * 60)
            if field == 'enqueued' and kind ~= '' then redis.call('SADD', P .. 'types:' .. queue, type) end
          end
        end
      end
    end
  end
  send(events, 'RPUSH', P .. 'webhooks:ended')
  placed, removed, backlog, counted, events = {}, {}, {}, {}, {}
end

-- One more duration in a distribution: its bucket (service/monitoring/metrics/histogram.py) under `letter`, its length under `sum`.
local function clocked(j, letter, sum, ms)
  local bucket = ms <= 1 and 0 or math.min(81, math.ceil(3 * math.log(ms) / math.log(2) - 1e-9))
  tally(j, letter .. bucket, 1)
  if ms > 0 then tally(j, sum, ms) end
end

-- The sets that list the jobs in a state, by type and by owner. Each name is put together once a call.
local lists = {type = {}, owner = {}}
local function list_of(kind, whose, state)
  local by_state = lists[kind][whose]
  if not by_state then
    by_state = {}
    lists[kind][whose] = by_state
  end
  local key = by_state[state]
  if not key then
    key = P .. kind .. ':' .. whose .. ':' .. state
    by_state[state] = key
  end
  return key
end

local function index(j, state, verb)
  if j.parent ~= '' then return end
  local score = verb == 'ZADD' and j.stamp
  place(list_of('type', j.type, state), j.id, score)
  place(list_of('owner', j.owner, state), j.id, score)
end

-- Of scripts that can make or unmake a dead letter (load_job.lua).
local group
-- Likewise: a job with limits leaves where it is.
local let_go

-- The one place where a job changes state: indexes, backlog estimate and event go with it.
local function move(j, to)
  local from = j.state
  if from ~= to then
    if from ~= '' then
      index(j, from, 'ZREM')
      if j.limits ~= '' and to ~= 'active' and (from == 'active' or from == 'queued') then let_go(j) end
    end
    index(j, to, 'ZADD')
    if from == 'failed' then group(j, 'ZREM') elseif to == 'failed' then group(j, 'ZADD') end
    local was, is = BACKLOG[from] or false, BACKLOG[to] or false
    if was ~= is then change(backlog, j.queue, (backlog[j.queue] or 0) + (is and j.cost or -j.cost)) end
    j.state = to
  end
  -- No client can be watching a job that is only now written.
  if from ~= '' then redis.call('PUBLISH', P .. 'event:' .. j.id, to) end
end

-- Whether no job was ready in the queue as the call began, nor has become so by it.
local vacancy = {}
local function vacant(queue)
  if vacancy[queue] == nil then
    local first = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
    vacancy[queue] = not first[2] or tonumber(first[2]) > READY
  end
  return vacancy[queue]
end

-- The virtual time at which a newcomer to the queue starts; the same for all of one call.
local bases = {}
local function base_of(queue)
  if bases[queue] then return bases[queue] end
  local state_key, base = P .. 'queue:' .. queue, now
  if not vacant(queue) then
    local v = tonumber(redis.call('HGET', state_key, 'virtual_ms') or nil)
    if v then base = math.max(v, now - MAX_LAG) end
  else
    -- An idle queue owes no owner anything: its virtual time starts afresh.
    redis.call('HSET', state_key, 'virtual_ms', now)
  end
  bases[queue], vacancy[queue] = base, false
  return base
end

local function deadlines_of(j) return P .. 'deadlines:' .. j.queue .. ':' .. j.priority .. ':' .. j.owner end

-- The next place in its queue's fair order. Its tag is the later of the queue's virtual time and its flow's last tag,
-- as in start-time fair queueing (Goyal, Vin, Cheng, 1996); priority moves it by a fixed span of that time.
local flows = {}
local function turn_of(j)
  local fair_key, tag = P .. 'fair:' .. j.queue, base_of(j.queue)
  local flow = j.parent ~= '' and 'job:' .. j.parent or 'owner:' .. j.owner
  local known = fair_key .. ' ' .. flow
  if flows[known] == nil then flows[known] = tonumber(redis.call('ZSCORE', fair_key, flow) or nil) or false end
  local last = flows[known]
  if last and last > tag then tag = last end
  local span = j.cost
  if span < 100 then span = 100 end
  -- A long job must not push its owner's next one far away: its parts have a flow of their own.
  if j.parent == '' and span > 30000 then span = 30000 end
  -- An owner of twice the weight is back at its turn in half the time.
  local weight = tonumber(j.weight or '')
  if weight then span = span / weight end
  flows[known] = tag + span
  place(fair_key, flow, tag + span)
  return tag - H - (HEAD_START[j.priority] or 0)
end

-- Read by the claim where the queue has any: the first deadline of an owner takes the owner's next turn.
local function mark_deadline(j)
  if not j.deadline_ms or j.deadline_ms == '' then return end
  redis.call('ZADD', deadlines_of(j), j.deadline_ms, j.id)
  redis.call('PEXPIRE', deadlines_of(j), 2592000000)
  redis.call('SET', P .. 'deadlines:' .. j.queue, 1, 'PX', 2592000000)
end

-- What arq's client reads of a job that waits or runs: its queued_jobs() raises an error for one without.
local function arq_entry(j)
  redis.call('SET', 'arq:job:' .. j.id, cmsgpack.pack({t = 1, f = j.type, a = {j.id}, k = {}, et = now}))
end

local function ready(j)
  mark_deadline(j)
  place(j.queue, j.id, turn_of(j))
end

local function wake(queue, word) redis.call('PUBLISH', P .. 'wake:' .. queue, word or 'work') end

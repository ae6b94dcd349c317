-- Breakers: `breaker()` returns what notes that attempts failed or completed. A queue in which so many jobs in a row fail with
-- one error, and none completes in between, pauses itself; then one job at a time is tried, until one completes
-- (docs/flow-control.md). Its state is in the queue's field `breaker`, as JSON: {print, error, jobs, since_ms, until_ms,
-- wait_ms, canary}; the jobs in a row are the set `failing:`, and their error is in the field `failing`.

local EVENTS = P .. 'breaker-events'

local function note(queue, what, b)
  redis.call('RPUSH', EVENTS, cjson.encode({queue = queue, what = what, error = b.error, jobs = b.jobs, at_ms = now}))
  redis.call('LTRIM', EVENTS, -1000, -1)
end

local function keep(queue, b) redis.call('HSET', P .. 'queue:' .. queue, 'breaker', cjson.encode(b)) end

local settled = {} -- queues of which this call knows that nothing fails in a row

-- A job of the queue has completed: what it failed with is over.
local function completed(queue)
  if settled[queue] then return end
  settled[queue] = true
  local key = P .. 'queue:' .. queue
  local was = redis.call('HMGET', key, 'breaker', 'failing')
  if was[2] then
    redis.call('HDEL', key, 'failing')
    redis.call('DEL', P .. 'failing:' .. queue)
  end
  if was[1] then
    redis.call('HDEL', key, 'breaker')
    note(queue, 'closed', cjson.decode(was[1]))
    wake(queue)
  end
end

-- An attempt has failed with an error that may pass. Returns the breaker where that error is what it is open for, as it is
-- after this: the attempt then spends no try.
local function failed(j, outcome, limits)
  local key, print = P .. 'queue:' .. j.queue, outcome.fingerprint
  local was = redis.call('HMGET', key, 'breaker', 'failing')
  settled[j.queue] = nil
  if was[1] then
    local b = cjson.decode(was[1])
    if b.print ~= print then return nil end
    if b.canary == j.id then
      b.wait_ms = math.min(2 * b.wait_ms, limits.longest_ms)
      b.until_ms, b.canary = now + b.wait_ms, nil
      keep(j.queue, b)
    end
    return b
  end
  local failing = P .. 'failing:' .. j.queue
  if was[2] ~= print then
    redis.call('DEL', failing)
    redis.call('HSET', key, 'failing', print)
  end
  -- Parts of one job are one job: a document of which no page can be read says nothing about the queue.
  redis.call('SADD', failing, j.parent ~= '' and j.parent or j.id)
  local jobs = redis.call('SCARD', failing)
  if jobs < limits.after then return nil end
  local b = {print = print, error = outcome.problem or '', jobs = jobs, since_ms = now, until_ms = now + limits.first_ms,
    wait_ms = limits.first_ms}
  redis.call('HDEL', key, 'failing')
  redis.call('DEL', failing)
  keep(j.queue, b)
  note(j.queue, 'opened', b)
  return b
end

return {completed = completed, failed = failed}

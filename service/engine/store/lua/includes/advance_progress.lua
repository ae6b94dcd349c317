-- 12345 as 12,345, as Python's progress messages have it.
local function grouped(n)
  local text, times = string.format('%.0f', n), 1
  while times > 0 do text, times = string.gsub(text, '^(%d+)(%d%d%d)', '%1,%2') end
  return text
end

-- Units of a part (or of the job itself) are done: the counts, and the bar that they move, only rise.
local function advance(j, units_done)
  local key, before = job_key(j.id), tonumber(j.units_done) or 0
  if units_done <= before then return end
  -- A job that gets on is not what kills its workers, however often they die under it.
  redis.call('HSET', key, 'units_done', units_done, 'crashes', 0)
  if j.parent == '' then return end
  local parent_key = job_key(j.parent)
  local done = redis.call('HINCRBY', parent_key, 'units_done', units_done - before)
  local m = redis.call('HMGET', parent_key, 'meter', 'progress', 'units_total', 'state')
  if not m[1] or TERMINAL[m[4]] then return end
  local meter, total = cjson.decode(m[1]), tonumber(m[3])
  if done > total then done = total end
  local percent = math.floor(meter.low + (meter.high - meter.low) * done / math.max(total, 1))
  percent = math.max(percent, tonumber(m[2]) or 0)
  local words = {done = grouped(done), total = grouped(total), percent = percent}
  local message = string.gsub(meter.message, '{(%w+)}', function(name) return tostring(words[name] or '') end)
  local data = cjson.decode(redis.call('HGET', parent_key, 'data') or '{}')
  data[meter.done_key], data[meter.total_key] = done, total
  redis.call('HSET', parent_key, 'progress', percent, 'message', message, 'data', cjson.encode(data))
  redis.call('PUBLISH', P .. 'event:' .. j.parent, 'progress')
end

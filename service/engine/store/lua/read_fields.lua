#!lua flags=no-writes
-- Returns some fields of some jobs' records, packed: for each job a list of the values, false for each that is not there.

local count = tonumber(ARGV[1])
-- Then the names of the fields, then the ids.

local names_end, fields, rows = 1 + count, {}, {}
for i = 2, names_end do fields[#fields + 1] = ARGV[i] end
for i = names_end + 1, #ARGV do
  rows[#rows + 1] = redis.call('HMGET', job_key(ARGV[i]), unpack(fields))
end
return cmsgpack.pack(rows)

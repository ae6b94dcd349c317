#!lua flags=allow-oom
-- Adds to measures of a queue in the present minute.

local queue = ARGV[1]
-- Then pairs of a measure's name and how much to add to it.

for i = 2, #ARGV, 2 do count(queue, ARGV[i], tonumber(ARGV[i + 1])) end
return 1

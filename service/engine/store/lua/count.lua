-- ARGV: queue, then pairs of a measure's name and how much to add to it in the present minute.

for i = 2, #ARGV, 2 do count(ARGV[1], ARGV[i], tonumber(ARGV[i + 1])) end
return 1

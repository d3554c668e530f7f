-- A line for /etc/powerdns/recursor.lua: the domain is not signed, and the root denies that it is there.
addNTA("tidings.internal", "the agent on this host")

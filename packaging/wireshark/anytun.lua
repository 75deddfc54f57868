-- Dissector of SATP, the protocol of anytun and uanytun, for Wireshark and
-- tshark. What is encrypted stays so; with a null cipher it shows the packets.
--
-- Put it into the folder of personal Lua plugins (Help, About, Folders), or:
--   tshark -X lua_script:anytun.lua
-- Ports, the length of the tag and the cipher are preferences of "anytun".

local satp = Proto("anytun", "Secure Anycast Tunneling Protocol")

local PAYLOAD_TYPES = {
  [0x0800] = "IPv4 packet",
  [0x86dd] = "IPv6 packet",
  [0x6558] = "Ethernet frame",
}
local HEADER, TYPE = 8, 2
local IPV4_MINIMUM, IPV6_HEADER = 20, 40
-- The original adds two bytes behind packets of a tun device.
local STALE = 2

local fields = satp.fields
fields.seq = ProtoField.uint32("anytun.seq", "Sequence number", base.DEC)
fields.sender = ProtoField.uint16("anytun.sender_id", "Sender id", base.DEC)
fields.mux = ProtoField.uint16("anytun.mux", "Mux", base.DEC)
fields.length = ProtoField.uint32("anytun.payload_length", "Payload length",
  base.UNIT_STRING, { " byte", " bytes" })
fields.encrypted = ProtoField.bytes("anytun.encrypted", "Encrypted")
fields.type = ProtoField.uint16("anytun.payload_type", "Payload type",
  base.HEX, PAYLOAD_TYPES)
fields.tag = ProtoField.bytes("anytun.tag", "Authentication tag")

local short = ProtoExpert.new("anytun.short", "Too short for SATP",
  expert.group.MALFORMED, expert.severity.ERROR)
satp.experts = { short }

local AUTO, ENCRYPTED, NULL = 0, 1, 2
satp.prefs.ports = Pref.range("UDP ports", "4444",
  "Ports at either end, such as 4444,5000-5010", 65535)
satp.prefs.tag = Pref.uint("Length of the tag in bytes", 10,
  "What --auth-tag-length says; 0 with --auth-algo null")
satp.prefs.cipher = Pref.enum("Cipher", AUTO,
  "Whether payloads are encrypted (--cipher)", {
    { 1, "Tell by the payload", AUTO },
    { 2, "Encrypted", ENCRYPTED },
    { 3, "None", NULL },
  }, false)

local inner = {
  [0x0800] = Dissector.get("ip"),
  [0x86dd] = Dissector.get("ipv6"),
  [0x6558] = Dissector.get("eth_withoutfcs"),
}

-- Whether the length that an IP packet says of itself is that of the payload:
-- chance does so once in some 10^10 encrypted datagrams.
local function is_packet(kind, payload)
  local length
  if kind == 0x0800 and payload:len() >= IPV4_MINIMUM then
    if payload(0, 1):bitfield(0, 4) ~= 4 then return false end
    length = payload(2, 2):uint()
  elseif kind == 0x86dd and payload:len() >= IPV6_HEADER then
    if payload(0, 1):bitfield(0, 4) ~= 6 then return false end
    length = payload(4, 2):uint() + IPV6_HEADER
  else
    return false
  end
  local more = payload:len() - length
  return more == 0 or more == STALE
end

local function is_plain(kind, payload)
  if satp.prefs.cipher == NULL then return PAYLOAD_TYPES[kind] ~= nil end
  return satp.prefs.cipher == AUTO and is_packet(kind, payload)
end

function satp.dissector(buffer, pinfo, root)
  local size = buffer:len()
  local tag = satp.prefs.tag
  pinfo.cols.protocol = "SATP"
  local tree = root:add(satp, buffer())
  if size < HEADER + TYPE + tag then
    pinfo.cols.info = string.format("Too short: %d bytes", size)
    tree:add_proto_expert_info(short)
    return size
  end
  local seq, mux = buffer(0, 4), buffer(6, 2)
  local sealed = size - HEADER - tag
  tree:add(fields.seq, seq)
  tree:add(fields.sender, buffer(4, 2))
  tree:add(fields.mux, mux)
  tree:add(fields.length, sealed - TYPE):set_generated()
  local info = string.format("Seq=%u Sender=%u Mux=%u Len=%u", seq:uint(),
    buffer(4, 2):uint(), mux:uint(), sealed - TYPE)
  pinfo.cols.info = info
  tree:append_text(", " .. info)

  local kind = buffer(HEADER, TYPE):uint()
  local payload
  if sealed > TYPE then payload = buffer(HEADER + TYPE, sealed - TYPE) end
  local plain = payload and is_plain(kind, payload)
  if plain then
    tree:add(fields.type, buffer(HEADER, TYPE))
  else
    tree:add(fields.encrypted, buffer(HEADER, sealed))
  end
  if tag > 0 then tree:add(fields.tag, buffer(size - tag, tag)) end
  if plain then inner[kind]:call(payload:tvb(), pinfo, root) end
  return size
end

local udp = DissectorTable.get("udp.port")
local ports

-- Preferences may change at any time.
local function listen()
  if ports == satp.prefs.ports then return end
  if ports then udp:remove(ports, satp) end
  ports = satp.prefs.ports
  udp:add(ports, satp)
end

satp.prefs_changed = listen
listen()

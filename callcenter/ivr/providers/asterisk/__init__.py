"""The company's own Asterisk (22 LTS), by its REST interface and one events websocket a server.

`switch` keeps the connection and hands each event to the call it belongs to, `call` plays one call through,
`ringing` its agents' phones; `hangup_log` brings what happened while nobody listened. The configuration that
all of this counts on is in `deploy/asterisk/`.
"""

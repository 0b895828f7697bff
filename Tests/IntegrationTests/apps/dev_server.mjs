// A development server that behaves towards its clients as Vite's does, made of Node's own modules only:
//
//     node dev_server.mjs FOLDER PORT
//
// It listens on ::1 alone, as `localhost` is with Node 17 and later. It answers 403 to every Host that is no name of
// this machine. Pages get the client for hot updates, which opens a WebSocket with the subprotocol vite-hmr to the
// place that the page is from; a browser's is accepted only with the token that is in the client's code. When a file
// changes, an update is pushed, and the client imports the module anew.

import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { watch } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const [folder, port] = process.argv.slice(2)
const token = randomBytes(9).toString('base64url')
const clients = new Set()
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

const CLIENT = `
const listeners = {}
export const accept = (path, update) => { listeners[path] = update }
const socket = new WebSocket('ws://' + location.host + '/?token=${token}', 'vite-hmr')
socket.addEventListener('message', async ({ data }) => {
  const message = JSON.parse(data)
  if (message.type === 'connected') document.documentElement.dataset.hmr = 'connected'
  if (message.type !== 'update') return
  for (const { path, timestamp } of message.updates)
    if (listeners[path]) listeners[path](await import(path + '?t=' + timestamp))
})`

function isAllowed(host) {
  if (!host) return false
  const name = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.split(':')[0]
  return name === 'localhost' || name.endsWith('.localhost') || name === '127.0.0.1' || name === '[::1]'
}

async function contents(path) {
  if (path === '/@vite/client') return [CLIENT, 'text/javascript']
  const file = normalize(path === '/' ? '/index.html' : path)
  const text = await readFile(join(folder, file), 'utf8')
  if (extname(file) !== '.html') return [text, types[extname(file)] ?? 'application/octet-stream']
  return [text.replace('<head>', '<head><script type="module" src="/@vite/client"></script>'), 'text/html']
}

const server = createServer(async (request, response) => {
  if (!isAllowed(request.headers.host)) {
    response.writeHead(403, { 'Content-Type': 'text/plain' })
    response.end(`Blocked request. This host (${JSON.stringify(request.headers.host)}) is not allowed.`)
    return
  }
  response.setHeader('Vary', 'Origin')
  try {
    const [body, type] = await contents(new URL(request.url, 'http://localhost').pathname)
    const etag = `W/"${body.length.toString(16)}-${createHash('sha1').update(body).digest('base64url')}"`
    response.setHeader('Content-Type', type)
    response.setHeader('Cache-Control', 'no-cache')
    response.setHeader('Etag', etag)
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
    else response.end(body)
  } catch {
    response.writeHead(404).end()
  }
})

function frame(opcode, payload) {
  const data = Buffer.from(payload)
  const head = data.length < 126 ? Buffer.from([0x80 | opcode, data.length]) : Buffer.alloc(4)
  if (data.length >= 126) head.writeUInt32BE(((0x80 | opcode) << 24 | 126 << 16 | data.length) >>> 0)
  return Buffer.concat([head, data])
}

server.on('upgrade', (request, socket, rest) => {
  const { host, origin, 'sec-websocket-key': key, 'sec-websocket-protocol': protocol } = request.headers
  const known = new URL(request.url, 'http://localhost').searchParams.get('token') === token
  if (protocol !== 'vite-hmr' || !isAllowed(host) || (origin && !known)) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    return
  }
  const accept = createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: vite-hmr\r\n\r\n`)
  clients.add(socket)
  socket.write(frame(1, JSON.stringify({ type: 'connected' })))
  let received = rest
  const read = (piece) => {
    received = Buffer.concat([received, piece])
    // Browsers' frames are masked, and a client of this protocol sends small ones only.
    while (received.length >= 6) {
      const [first, second] = received
      const size = second & 0x7f
      if (size > 125 || !(second & 0x80)) return socket.destroy()
      if (received.length < 6 + size) return
      const mask = received.subarray(2, 6)
      const payload = received.subarray(6, 6 + size).map((byte, index) => byte ^ mask[index % 4])
      received = received.subarray(6 + size)
      if ((first & 0x0f) === 8) return socket.end(frame(8, payload))
      if ((first & 0x0f) === 9) socket.write(frame(10, payload))
    }
  }
  socket.on('data', read)
  socket.on('error', () => {})
  socket.on('close', () => clients.delete(socket))
  read(Buffer.alloc(0))
})

watch(folder, { recursive: false }, (_, name) => {
  if (!name?.endsWith('.js')) return
  const update = { type: 'js-update', path: '/' + name, acceptedPath: '/' + name, timestamp: Date.now() }
  for (const socket of clients) socket.write(frame(1, JSON.stringify({ type: 'update', updates: [update] })))
})

server.listen(Number(port), '::1')

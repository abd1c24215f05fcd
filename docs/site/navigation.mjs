// The pages of the site, in the order in which they are read. tests/docs/site.test.ts holds it to what is in docs/.

/** @typedef {{ text: string, items: { text: string, link: string }[] }} Section */

/** @type {Section[]} */
export const NAVIGATION = [
  {
    text: 'Start',
    items: [
      { text: 'Ten minutes', link: '/guide' },
      { text: 'Node', link: '/start/node' },
      { text: 'AWS Lambda', link: '/start/lambda' },
      { text: 'Cloudflare Workers', link: '/start/workers' },
      { text: 'Deno', link: '/start/deno' },
      { text: 'Bun', link: '/start/bun' },
      { text: 'Vercel, Netlify and others', link: '/functions' },
      { text: 'Containers', link: '/containers' },
    ],
  },
  {
    text: 'Use',
    items: [
      { text: 'Cookbook', link: '/cookbook' },
      { text: 'Hosted apps', link: '/hosted-apps' },
      { text: 'Middleware', link: '/middleware' },
      { text: 'Platforms', link: '/platforms' },
      { text: 'Deploying to AWS', link: '/deploying' },
      { text: 'Lambda Web Functions', link: '/lambda-web' },
      { text: 'Proxies', link: '/proxies' },
      { text: 'The waygate command', link: '/cli' },
      { text: 'The inspector', link: '/inspector' },
    ],
  },
  {
    text: 'Come from',
    items: [
      { text: 'serverless-http', link: '/migrate/serverless-http' },
      { text: 'serverless-express', link: '/migrate/serverless-express' },
      { text: 'hono/aws-lambda', link: '/migrate/hono-aws-lambda' },
      { text: '@hono/node-server', link: '/migrate/hono-node-server' },
      { text: 'serverless-offline', link: '/migrate/serverless-offline' },
      { text: 'WSGI in Python', link: '/migrate/python' },
    ],
  },
  {
    text: 'Look up',
    items: [
      { text: 'Reference', link: '/api/' },
      { text: 'Errors', link: '/errors' },
      { text: 'The contract', link: '/contract' },
      { text: 'Performance', link: '/performance' },
      { text: 'Judges', link: '/judges' },
      { text: 'Fidelity', link: '/fidelity' },
      { text: 'Security', link: '/security' },
    ],
  },
  {
    text: 'Join',
    items: [
      { text: 'Contributing', link: '/contributing' },
      { text: 'Architecture', link: '/architecture' },
      { text: 'Writing an adapter', link: '/writing-an-adapter' },
      { text: 'Changelog', link: '/changelog' },
    ],
  },
];

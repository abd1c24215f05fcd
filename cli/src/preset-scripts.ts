// How what `waygate build` made gets to the platforms of the presets: the commands of their own tools.

import type { PresetTarget } from './preset-targets.ts';

/** Where a platform's tool looks for what was built, from the folder of the app. */
export function presetFolder(target: PresetTarget): string {
  // https://vercel.com/docs/build-output-api
  return target === 'vercel' || target === 'vercel-edge' ? '.vercel/output' : `dist/${target}`;
}

/** The command that deploys a folder, where the platform has one. */
export const DEPLOY_SCRIPTS: Partial<Record<PresetTarget, (folder: string, name: string) => string>> = {
  // https://vercel.com/docs/cli/deploy
  vercel: () => 'npx vercel deploy --prebuilt',
  'vercel-edge': () => 'npx vercel deploy --prebuilt',
  // https://docs.netlify.com/api-and-cli-guides/cli-guides/get-started-with-cli
  netlify: (folder) =>
    `npx netlify-cli deploy --prod --no-build --dir ${folder}/public --functions ${folder}/functions`,
  // https://cloud.google.com/run/docs/deploy-functions
  'google-cloud': (folder, name) =>
    `gcloud run deploy ${name} --source ${folder} --function app --base-image nodejs24 --allow-unauthenticated`,
  // https://learn.microsoft.com/azure/azure-functions/functions-core-tools-reference
  'azure-functions': (folder, name) =>
    `npm install --prefix ${folder} --omit=dev && cd ${folder} && func azure functionapp publish ${name} --javascript`,
  // https://docs.deno.com/deploy: the entry point is a setting of the app there.
  'deno-deploy': () => 'deno deploy --prod',
  // https://www.fastly.com/documentation/reference/cli/compute/publish/
  fastly: (folder) => `npm install --prefix ${folder} && cd ${folder} && fastly compute publish`,
};

// The configuration that is written around a bundle: `wrangler.toml` for Workers, SAM templates for Lambda.

import { type EventSource, sourceParts } from './template-sources.ts';

/** The newest date whose behaviour this version was tested with. https://developers.cloudflare.com/workers/configuration/compatibility-dates/ */
const COMPATIBILITY_DATE = '2026-04-01';

/** The processors that Lambda has. */
export const ARCHITECTURES = ['arm64', 'x86_64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** The oldest version of Node that Waygate runs on, and so the oldest runtime of Lambda. */
const OLDEST_RUNTIME = 20;
/** The newest runtime of Node that Lambda has. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html */
export const DEFAULT_RUNTIME = 'nodejs24.x';

/** Whether Lambda has, or may come to have, a runtime of this name that Waygate runs on. */
export function isRuntime(name: string): boolean {
  const version = /^nodejs(\d+)\.x$/.exec(name)?.[1];
  return version !== undefined && Number(version) >= OLDEST_RUNTIME && Number(version) % 2 === 0;
}

/** What `wrangler.toml` says. */
export interface WranglerChoices {
  name: string;
  /** The bundle, relative to the file. */
  main: string;
  /** Whether the bundle imports Node's modules. */
  usesNode: boolean;
  /** How wrangler makes the bundle anew, and what it watches for that; without it the bundle is there already. */
  build?: { command: string; watch: string };
}

export function wranglerConfig({ name, main, usesNode, build }: WranglerChoices): string {
  return [
    `name = "${name}"`,
    `main = "${main}"`,
    `compatibility_date = "${COMPATIBILITY_DATE}"`,
    ...(usesNode ? ['compatibility_flags = ["nodejs_compat"]'] : []),
    'upload_source_maps = true',
    '',
    ...(build === undefined
      ? []
      : [
          '# Runs before `wrangler dev` and `wrangler deploy`, and when one of these files or folders changes.',
          '[build]',
          `command = ${JSON.stringify(build.command)}`,
          `watch_dir = [${JSON.stringify(build.watch)}]`,
          '',
        ]),
    '[observability]',
    'enabled = true',
    '',
  ].join('\n');
}

/** What a SAM template says. */
export interface LambdaChoices {
  name: string;
  source: EventSource;
  /** Whether the event source passes the response on as it comes. */
  stream?: boolean;
  /** The zip, relative to the template. @default 'function.zip' */
  codeUri?: string;
  /** @default 'nodejs24.x' */
  runtime?: string;
  /** @default 'arm64' */
  arch?: Architecture;
  /** In MB. @default 512 */
  memory?: number;
}

/** A SAM template for one function behind one event source. */
export function lambdaTemplate(choices: LambdaChoices): string {
  const { name, source, stream = false, codeUri = 'function.zip' } = choices;
  const { runtime = DEFAULT_RUNTIME, arch = 'arm64', memory = 512 } = choices;
  const { parameters = '', properties = '', resources = '', url } = sourceParts(source, stream);
  return `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: ${name}, built by waygate
${parameters}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ${codeUri}
      Handler: index.handler
      Runtime: ${runtime}
      Architectures: [${arch}]
      MemorySize: ${memory}
      Timeout: 30
      Environment:
        Variables:
          NODE_OPTIONS: --enable-source-maps
${properties}${resources}
Outputs:
  Url:
    Value: ${url}
`;
}

/** Who may call the endpoint of a Web Function. https://docs.aws.amazon.com/lambda/latest/dg/web-functions-endpoint-access-control.html */
export const AUTH_TYPES = ['ApplicationManaged', 'IamAuth'] as const;
export type AuthType = (typeof AUTH_TYPES)[number];

/** What a template for a Web Function says. */
export interface WebFunctionChoices {
  name: string;
  /** Left out, it has to be chosen at each deployment. */
  authType?: AuthType;
}

/**
 * A SAM template for a Web Function. SAM uploads no code for one: the bucket, key and version are parameters.
 * https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-webfunction.html
 */
export function webFunctionTemplate({ name, authType }: WebFunctionChoices): string {
  return `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: ${name}, built by waygate

Parameters:
  CodeBucket:
    Type: String
    Description: Bucket of function.zip, with versioning and a policy that lets lambda.amazonaws.com read its objects
  CodeKey:
    Type: String
    Description: Key of function.zip in the bucket
  CodeVersion:
    Type: String
    Description: Version of that object, which its upload has returned
  AuthType:
    Type: String
    Description: ApplicationManaged lets everybody call the endpoint, IamAuth only requests that are signed for AWS
    AllowedValues: [${AUTH_TYPES.join(', ')}]
${authType === undefined ? '' : `    Default: ${authType}\n`}
Resources:
  Function:
    Type: AWS::Serverless::WebFunction
    Properties:
      CodeUri:
        Bucket: !Ref CodeBucket
        Key: !Ref CodeKey
        Version: !Ref CodeVersion
      Runtime: ${DEFAULT_RUNTIME}
      AuthType: !Ref AuthType
      Timeout: 30

Outputs:
  Url:
    Value: !Sub https://\${FunctionEndpoint.DomainName}/
`;
}

/** What a template for Lambda@Edge says. */
export type EdgeChoices = Pick<LambdaChoices, 'name' | 'runtime' | 'memory'>;

/** A SAM template for Lambda@Edge: a distribution that asks the function for every response. Deploys to us-east-1 only. */
export function edgeTemplate({ name, runtime = DEFAULT_RUNTIME, memory = 128 }: EdgeChoices): string {
  return `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: ${name}, built by waygate; deploy to us-east-1, where Lambda@Edge functions have to be

Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: function.zip
      Handler: index.handler
      Runtime: ${runtime}
      MemorySize: ${memory}
      Timeout: 30
      AutoPublishAlias: live
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal:
              Service: [lambda.amazonaws.com, edgelambda.amazonaws.com]
            Action: sts:AssumeRole

  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        HttpVersion: http2and3
        Origins:
          # Never reached: the function answers every request.
          - Id: function
            DomainName: example.com
            CustomOriginConfig:
              OriginProtocolPolicy: https-only
        DefaultCacheBehavior:
          TargetOriginId: function
          ViewerProtocolPolicy: redirect-to-https
          AllowedMethods: [GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE]
          # CloudFront's own policies: no caching, and all of the viewer's request but its host.
          CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad
          OriginRequestPolicyId: b689b0a8-53d0-40ab-baf2-68738e2966ac
          LambdaFunctionAssociations:
            - EventType: origin-request
              IncludeBody: true
              LambdaFunctionARN: !Ref Function.Version

Outputs:
  Url:
    Value: !Sub https://\${Distribution.DomainName}/
`;
}

// The configuration that is written around a bundle: `wrangler.toml` for Workers, SAM templates for Lambda.

/** The front doors that a template can set up. */
export type FrontDoor = 'function-url' | 'http-api' | 'rest-api';

export const FRONT_DOORS: readonly FrontDoor[] = ['function-url', 'http-api', 'rest-api'];

/** The newest date whose behaviour this version was tested with. https://developers.cloudflare.com/workers/configuration/compatibility-dates/ */
const COMPATIBILITY_DATE = '2026-04-01';
const RUNTIME = 'nodejs22.x';

/**
 * @param main the bundle, relative to the file
 * @param usesNode whether the bundle imports Node's modules
 */
export function wranglerConfig(name: string, main: string, usesNode: boolean): string {
  return [
    `name = "${name}"`,
    `main = "${main}"`,
    `compatibility_date = "${COMPATIBILITY_DATE}"`,
    ...(usesNode ? ['compatibility_flags = ["nodejs_compat"]'] : []),
    'upload_source_maps = true',
    '',
    '[observability]',
    'enabled = true',
    '',
  ].join('\n');
}

/**
 * A SAM template for one function behind one front door. The zip stands beside it.
 *
 * @param stream whether the front door passes the response on as it comes
 * @param codeUri the zip, relative to the template
 */
export function lambdaTemplate(name: string, door: FrontDoor, stream: boolean, codeUri = 'function.zip'): string {
  return `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: ${name}, built by waygate

Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ${codeUri}
      Handler: index.handler
      Runtime: ${RUNTIME}
      Architectures: [arm64]
      MemorySize: 512
      Timeout: 30
      Environment:
        Variables:
          NODE_OPTIONS: --enable-source-maps
${doorProperties(door, stream)}
Outputs:
  Url:
    Value: ${doorUrl(door)}
`;
}

function doorProperties(door: FrontDoor, stream: boolean): string {
  if (door === 'function-url') {
    return `      FunctionUrlConfig:
        AuthType: NONE
        InvokeMode: ${stream ? 'RESPONSE_STREAM' : 'BUFFERED'}
`;
  }
  if (door === 'http-api') {
    return `      Events:
        Everything:
          Type: HttpApi
`;
  }
  const transfer = stream ? '            ResponseTransferMode: STREAM\n' : '';
  return `      Events:
        Root:
          Type: Api
          Properties:
            Path: /
            Method: ANY
            RestApiId: !Ref Api
${transfer}        Below:
          Type: Api
          Properties:
            Path: /{proxy+}
            Method: ANY
            RestApiId: !Ref Api
${transfer}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      # The bytes of a response are sent as they are, whatever the client accepts.
      BinaryMediaTypes: ['*/*']
`;
}

function doorUrl(door: FrontDoor): string {
  if (door === 'function-url') return '!GetAtt FunctionUrl.FunctionUrl';
  if (door === 'http-api') return `!Sub https://\${ServerlessHttpApi}.execute-api.\${AWS::Region}.amazonaws.com/`;
  return `!Sub https://\${Api}.execute-api.\${AWS::Region}.amazonaws.com/live/`;
}

/** A SAM template for Lambda@Edge: a distribution that asks the function for every response. Deploys to us-east-1 only. */
export function edgeTemplate(name: string): string {
  return `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: ${name}, built by waygate; deploy to us-east-1, where Lambda@Edge functions have to be

Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: function.zip
      Handler: index.handler
      Runtime: ${RUNTIME}
      MemorySize: 128
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

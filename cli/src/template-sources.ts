// What stands in front of the function in a SAM template, one event source after another.

/** The event sources that a template can set up. */
export const EVENT_SOURCES = ['function-url', 'http-api', 'rest-api', 'alb', 'lattice'] as const;
export type EventSource = (typeof EVENT_SOURCES)[number];

/** The parts of a template that an event source adds. Each is whole lines, or empty. */
interface SourceParts {
  /** What the stack needs to know. */
  parameters?: string;
  /** Properties of the function. */
  properties?: string;
  /** Resources beside the function, after an empty line. */
  resources?: string;
  /** Where the app answers, as a value of YAML. */
  url: string;
}

/** The names of the parameters without a default of an event source's template: what `sam deploy` asks for. */
export const SOURCE_PARAMETERS: Partial<Record<EventSource, readonly string[]>> = {
  alb: ['VpcId', 'SubnetIds'],
  lattice: ['VpcId'],
};

/** @param stream whether the response is passed on as it comes; only for those that can */
export function sourceParts(source: EventSource, stream: boolean): SourceParts {
  switch (source) {
    case 'function-url':
      return {
        properties: `      FunctionUrlConfig:
        AuthType: NONE
        InvokeMode: ${stream ? 'RESPONSE_STREAM' : 'BUFFERED'}
`,
        url: '!GetAtt FunctionUrl.FunctionUrl',
      };
    case 'http-api':
      return {
        properties: `      Events:
        Everything:
          Type: HttpApi
`,
        url: `!Sub https://\${ServerlessHttpApi}.execute-api.\${AWS::Region}.amazonaws.com/`,
      };
    case 'rest-api':
      return restApi(stream);
    case 'alb':
      return LOAD_BALANCER;
    case 'lattice':
      return LATTICE;
  }
}

function restApi(stream: boolean): SourceParts {
  const transfer = stream ? '            ResponseTransferMode: STREAM\n' : '';
  return {
    properties: `      Events:
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
${transfer}`,
    resources: `
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      # The bytes of a response are sent as they are, whatever the client accepts.
      BinaryMediaTypes: ['*/*']
`,
    url: `!Sub https://\${Api}.execute-api.\${AWS::Region}.amazonaws.com/live/`,
  };
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html */
const LOAD_BALANCER: SourceParts = {
  parameters: `
Parameters:
  VpcId:
    Type: AWS::EC2::VPC::Id
    Description: The network of the load balancer
  SubnetIds:
    Type: List<AWS::EC2::Subnet::Id>
    Description: Public subnets of that network, in two availability zones or more
  CertificateArn:
    Type: String
    Default: ''
    Description: A certificate of ACM; with it the load balancer speaks HTTPS, without it plain HTTP

Conditions:
  HasCertificate: !Not [!Equals [!Ref CertificateArn, '']]
`,
  resources: `
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !GetAtt Function.Arn
      Principal: elasticloadbalancing.amazonaws.com

  TargetGroup:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    DependsOn: Permission
    Properties:
      TargetType: lambda
      Targets:
        - Id: !GetAtt Function.Arn
      TargetGroupAttributes:
        # Without it a response has one cookie at most.
        - Key: lambda.multi_value_headers.enabled
          Value: 'true'

  SecurityGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Lets everybody reach the load balancer
      VpcId: !Ref VpcId
      SecurityGroupIngress:
        - IpProtocol: tcp
          FromPort: !If [HasCertificate, 443, 80]
          ToPort: !If [HasCertificate, 443, 80]
          CidrIp: 0.0.0.0/0

  LoadBalancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Type: application
      Scheme: internet-facing
      Subnets: !Ref SubnetIds
      SecurityGroups: [!Ref SecurityGroup]

  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref LoadBalancer
      Port: !If [HasCertificate, 443, 80]
      Protocol: !If [HasCertificate, HTTPS, HTTP]
      Certificates: !If [HasCertificate, [{ CertificateArn: !Ref CertificateArn }], !Ref AWS::NoValue]
      DefaultActions:
        - Type: forward
          TargetGroupArn: !Ref TargetGroup
`,
  url: `!If [HasCertificate, !Sub "https://\${LoadBalancer.DNSName}/", !Sub "http://\${LoadBalancer.DNSName}/"]`,
};

/** https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html */
const LATTICE: SourceParts = {
  parameters: `
Parameters:
  VpcId:
    Type: AWS::EC2::VPC::Id
    Description: The network whose clients may reach the service
`,
  resources: `
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !GetAtt Function.Arn
      Principal: vpc-lattice.amazonaws.com

  TargetGroup:
    Type: AWS::VpcLattice::TargetGroup
    DependsOn: Permission
    Properties:
      Type: LAMBDA
      Config:
        LambdaEventStructureVersion: V2
      Targets:
        - Id: !GetAtt Function.Arn

  Service:
    Type: AWS::VpcLattice::Service
    Properties:
      AuthType: NONE

  Listener:
    Type: AWS::VpcLattice::Listener
    Properties:
      ServiceIdentifier: !Ref Service
      # For a name of its own Lattice has a certificate.
      Protocol: HTTPS
      Port: 443
      DefaultAction:
        Forward:
          TargetGroups:
            - TargetGroupIdentifier: !Ref TargetGroup
              Weight: 100

  Network:
    Type: AWS::VpcLattice::ServiceNetwork
    Properties:
      AuthType: NONE

  NetworkService:
    Type: AWS::VpcLattice::ServiceNetworkServiceAssociation
    Properties:
      ServiceNetworkIdentifier: !Ref Network
      ServiceIdentifier: !Ref Service

  NetworkVpc:
    Type: AWS::VpcLattice::ServiceNetworkVpcAssociation
    Properties:
      ServiceNetworkIdentifier: !Ref Network
      VpcIdentifier: !Ref VpcId
`,
  url: `!Sub https://\${Service.DnsEntry.DomainName}/`,
};

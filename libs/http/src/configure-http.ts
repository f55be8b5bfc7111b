import type { DynamicModule, LogLevel, LoggerService, Type } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import type { HttpSettings } from '#config';
import { Clock, Entropy } from '#protocol';
import { lexemePreservingBody } from './body.js';
import { ErrorsFilter } from './errors.filter.js';
import { withExamples } from './examples.js';
import { Lifecycle } from './lifecycle.js';
import { PlainValidationPipe } from './plain-validation.pipe.js';
import { RateLimiter, rateLimit } from './rate-limit.js';
import { requestContext } from './request-context.js';
import { securityHeaders } from './security-headers.js';
import { WireAdapter } from './wire.adapter.js';

const TITLE = 'Pastel-Supernode-Inference-Layer';
const DOCS = '/docs';
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** What `NestFactory.create` and a testing module's `createNestApplication` need besides a {@link WireAdapter}. */
export const wireOptions = { bodyParser: false } as const;

/** A Nest application of ours, ready to listen. The root module brings Clock and Entropy with it. Throws what keeps it from starting. */
export async function createHttpApp(
  root: Type | DynamicModule,
  settings: HttpSettings,
  logger: LoggerService | LogLevel[] | false = ['error', 'warn'],
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(root, new WireAdapter(), {
    ...wireOptions,
    logger,
    abortOnError: false,
  });
  return configureHttp(app, settings);
}

/** Everything between the socket and the controllers, outermost first. Call it before `init` or `listen`. */
export function configureHttp(app: NestExpressApplication, settings: HttpSettings): NestExpressApplication {
  app.getHttpServer().maxConnections = settings.connectionsMax;
  app.disable('x-powered-by');
  // Nobody's X-Forwarded-For is believed unless the operator names the proxy.
  app.set('trust proxy', settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false);
  app.set('query parser', 'simple');
  app.use(requestContext(app.get(Entropy)));
  app.use(securityHeaders(DOCS));
  app.use(app.get(Lifecycle).handler());
  app.enableCors(corsOptions(settings.corsOrigins));
  app.use(rateLimit(new RateLimiter(app.get(Clock), settings.requestsPerMinutePerIp), settings.limitLoopback));
  app.use(landing);
  app.use(lexemePreservingBody(settings.bodyBytesMax));
  app.useGlobalPipes(new PlainValidationPipe());
  app.useGlobalFilters(new ErrorsFilter(app.get(HttpAdapterHost)));
  serveDocumentation(app);
  return app;
}

/** Cookies and passwords of a browser are sent only to origins that the operator names one by one. */
function corsOptions(origins: readonly string[]) {
  const isOpen = origins.includes('*');
  return {
    origin: isOpen ? '*' : [...origins],
    credentials: !isOpen,
    methods: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'],
    exposedHeaders: ['Authorization', 'Retry-After', 'X-Request-Id'],
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
    optionsSuccessStatus: 200,
  };
}

/** Clients take a supernode for alive when `GET /` answers (clients spec 2): it shows the same page as /docs. */
function landing(request: Request, response: Response, next: NextFunction): void {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead && request.path === '/redoc') return response.redirect(307, '/');
  // The page names its files relative to the address that was asked for.
  if (isRead && request.path === '/') request.url = request.originalUrl = DOCS;
  next();
}

function serveDocumentation(app: NestExpressApplication): void {
  SwaggerModule.setup(DOCS, app, () => openApiOf(app), {
    jsonDocumentUrl: '/openapi.json',
    yamlDocumentUrl: '/openapi.yaml',
    customSiteTitle: TITLE,
    swaggerOptions: { displayRequestDuration: true, tagsSorter: 'alpha', operationsSorter: 'alpha' },
  });
}

export function openApiOf(app: NestExpressApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle(TITLE)
    .setDescription('Pastel Supernode Inference Layer API')
    .setVersion('0.1.0')
    .addBasicAuth()
    .build();
  return withExamples(SwaggerModule.createDocument(app, config));
}

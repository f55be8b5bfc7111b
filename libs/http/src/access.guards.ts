import { createHash, timingSafeEqual } from 'node:crypto';
import { applyDecorators, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ApiBasicAuth } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { HttpSettings } from '#config';
import { Refusal } from '#protocol';
import { ErrorAnswers } from './api-answers.js';
import { isFromThisMachine } from './client-address.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isSame = (left: string, right: string): boolean => timingSafeEqual(digest(left), digest(right));

/** The secret of `Authorization: Bearer <secret>`, or the password of `Authorization: Basic`, whatever the user's name. */
function secretOf({ headers }: Request): string | undefined {
  const [, scheme, value] = /^(basic|bearer) +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return value;
  const credentials = Buffer.from(value, 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon < 0 ? undefined : credentials.slice(colon + 1);
}
/** Whether the caller knows the operator's token, where there is one. */
export const isOperator = (request: Request, token: string | undefined): boolean => {
  const secret = secretOf(request);
  return token !== undefined && secret !== undefined && isSame(secret, token);
};

@Injectable()
export class LocalhostGuard implements CanActivate {
  constructor(private readonly settings: HttpSettings) {}
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (this.settings.localhostOnlyDisabled || isFromThisMachine(request) || isOperator(request, this.settings.operatorToken))
      return true;
    throw new Refusal('unauthorized', 'Unauthorized');
  }
}

@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(private readonly settings: HttpSettings) {}
  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const token = this.settings.operatorToken;
    if (token === undefined && isFromThisMachine(request)) return true;
    if (isOperator(request, token)) return true;
    http.getResponse<Response>().setHeader('WWW-Authenticate', 'Basic');
    throw new Refusal('unauthorized', secretOf(request) === undefined ? 'Not authenticated' : 'Incorrect password');
  }
}

/**
 * Open to calls made on this machine and to the operator (messaging spec 6.2). X-Forwarded-For counts only from a trusted proxy;
 * TEMP_OVERRIDE_LOCALHOST_ONLY opens it to all.
 */
export const LocalhostOnly = () => applyDecorators(UseGuards(LocalhostGuard), ErrorAnswers(401, 429, 500));

/** Needs OPERATOR_TOKEN, as the password of HTTP Basic or as a bearer token (messaging spec 6.3); where none is set, this machine alone. */
export const OperatorOnly = () => applyDecorators(UseGuards(OperatorGuard), ApiBasicAuth(), ErrorAnswers(401, 429, 500));

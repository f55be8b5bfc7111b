import { Injectable, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';
import { HttpSettings } from '#config';
import { LocalhostGuard } from '#http';

/** This machine, or the operator's token; a browser elsewhere is asked for it, where there is one. */
@Injectable()
export class LogsGuard extends LocalhostGuard {
  constructor(private readonly http: HttpSettings) {
    super(http);
  }
  override canActivate(context: ExecutionContext): boolean {
    try {
      return super.canActivate(context);
    } catch (refusal) {
      if (this.http.operatorToken !== undefined)
        context.switchToHttp().getResponse<Response>().setHeader('WWW-Authenticate', 'Basic realm="Supernode log"');
      throw refusal;
    }
  }
}

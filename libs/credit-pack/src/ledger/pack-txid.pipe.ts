import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { complaintOf, missing, Unprocessable } from '#http';
import { kinds } from '#protocol';

/** A txid from the body; one that is none of any transaction is not found later on. */
@Injectable()
export class TxidPipe implements PipeTransform {
  transform(value: unknown, { data }: ArgumentMetadata): string {
    const loc = ['body', data!];
    if (value === undefined) throw new Unprocessable([missing(loc)]);
    if (!kinds.text.accepts(value)) throw new Unprocessable([complaintOf(kinds.text, loc, value)]);
    return value;
  }
}

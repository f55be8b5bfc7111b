import { Controller, Get, Param, Req, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { clientAddress, ErrorAnswers } from '#http';
import { Downloads } from './downloads.service.js';

@ApiTags('inference')
@Controller()
export class DownloadsController {
  constructor(private readonly downloads: Downloads) {}

  @Get('download/:file_name')
  @ApiOperation({
    summary: 'A file that this supernode hands to a model service of its own',
    description: 'For the addresses of that service alone, as long as the request runs that needs it. Results never point here.',
  })
  @ApiParam({ name: 'file_name', schema: { type: 'string', example: '0f3c6a1b2d4e5f60718293a4b5c6d7e8.pdf' } })
  @ApiOkResponse({
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' }, example: '<the bytes of the file>' } },
  })
  @ErrorAnswers(404, 429, 500)
  async file(@Param('file_name') name: string, @Req() request: Request): Promise<StreamableFile> {
    const { content, bytes } = await this.downloads.open(name, clientAddress(request));
    return new StreamableFile(content, { type: 'application/octet-stream', disposition: 'attachment', length: bytes });
  }
}
